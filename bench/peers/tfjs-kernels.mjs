// Single kernels of TensorFlow.js, each in the forms that its users write; see peer-kernels.ts for what they
// compute.
import * as tf from '@tensorflow/tfjs-core';
import * as ops from './tfjs-ops.mjs';

/**
 * Creates a kernel from `compute`, which gets the arrays as tensors by name and returns one or several
 * results.
 */
const kernel =
  (compute, fits = () => true) =>
  (inputs) => {
    if (!fits(inputs)) return undefined;
    const tensors = Object.fromEntries(
      Object.entries(inputs.arrays).map(([name, { data, shape, dtype }]) => [
        name,
        tf.tensor(data, shape, dtype === 'i32' ? 'int32' : 'float32'),
      ]),
    );
    const once = () => [compute(tensors, inputs)].flat();
    return {
      async run(times) {
        for (let i = 0; i < times; i++) tf.tidy(() => void once());
        // TensorFlow.js has no public function that submits without a readback.
        const backend = tf.backend();
        backend.endComputePassEncoder();
        if (backend.commandEncoder) backend.submitQueue();
        await backend.queue.onSubmittedWorkDone();
      },
      async read() {
        const result = tf.tidy(() => once()[0]);
        const data = await result.data();
        result.dispose();
        return data;
      },
      dispose: () => tf.dispose(tensors),
    };
  };

/** Kernels by kind and form; `variants` are those of the model. */
export function tfjsKernels(variants) {
  const norm = ops.layerNormOp(1e-5, variants);
  const normAuto = (x, g, b) => ops.layerNormAuto(x, g, b, 1e-5);
  const normTrain = (f) =>
    kernel(({ x, gamma, beta, dy }) => tf.grads((...inputs) => f(...inputs))([x, gamma, beta], dy));
  const meanLoss = (nll) =>
    kernel(({ logits, targets }) => {
      const { value, grad } = tf.valueAndGrad((z) => tf.mean(nll(targets, z)))(logits);
      return [grad, value];
    });
  const attention = (qkv, { heads }) => {
    const [B, L, columns] = qkv.shape;
    const [q, k, v] = ops.splitHeads(qkv, [B, L, 3, heads, columns / 3 / heads]);
    return tf.reshape(ops.attend(q, k, v), [B, L, columns / 3]);
  };
  return {
    matmul: {
      'tf.matMul': kernel(({ a, b }, { transA, transB }) => tf.matMul(a, b, transA, transB)),
      'transposed first': kernel(
        ({ a, b }) => tf.matMul(a, ops.transposed(b)),
        ({ arrays, transA, transB }) => transB && !transA && arrays.b.shape.length === 2,
      ),
    },
    softmax: { 'tf.softmax': kernel(({ x }) => tf.softmax(x)) },
    layerNorm: { composed: kernel(({ x, gamma, beta }) => norm(x, gamma, beta)) },
    layerNormTrain: { 'own gradient': normTrain(norm), automatic: normTrain(normAuto) },
    embeddingGradient: {
      scatterND: kernel(({ ids, dy, table }) => ops.scatterRows(ids, dy, table.shape)),
      'of tf.gather': kernel(({ ids, dy, table }) => tf.grad((t) => tf.gather(t, ids))(table, dy)),
    },
    crossEntropyTrain: {
      'own gradient': meanLoss((targets, z) => ops.nllOp(targets, 0)(z)),
      automatic: meanLoss((targets, z) => ops.nllAuto(targets, 0, z)),
    },
    attention: { composed: kernel(({ qkv }, inputs) => attention(qkv, inputs)) },
    attentionTrain: {
      composed: kernel(({ qkv, dy }, inputs) => tf.grad((x) => attention(x, inputs))(qkv, dy)),
    },
  };
}
