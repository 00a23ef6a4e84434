// Single kernels of jax-js, each a jit-compiled function; see peer-kernels.ts for what they compute.
import { grad, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { layerNorm } from './jax-ops.mjs';

const norm = (x, gamma, beta) => layerNorm(x, gamma, beta, 1e-5);
const last = (x, transposed) => (transposed ? np.matrixTranspose(x) : x);

/** qkv [B, T, 3 * D] -> [B, T, D] */
function attention(qkv, heads) {
  const [B, T, columns] = qkv.shape;
  const D = columns / 3;
  const [q, k, v] = np.split(qkv, 3, -1).map((x) => x.reshape([B, T, heads, D / heads]));
  return nn.dotProductAttention(q, k, v).reshape([B, T, D]);
}

/** Mean cross-entropy of logits [N, V] and targets [N]. */
function meanLoss(logits, targets) {
  const [N, V] = logits.shape;
  const logp = nn.logSoftmax(logits);
  const hit = np
    .arange(V)
    .reshape([1, V])
    .equal(targets.reshape([N, 1]));
  return np.where(hit, logp, 0).sum(-1).sum().neg().div(N);
}

/** Kernels by kind and form. */
export function jaxKernels(device) {
  /** `compute` takes the arrays by name and returns its result, or several, of which the first is read. */
  const kernel = (compute) => (inputs) => {
    const arrays = Object.fromEntries(
      Object.entries(inputs.arrays).map(([name, { data, shape, dtype }]) => [
        name,
        np.array(data, { dtype: dtype === 'i32' ? np.int32 : np.float32 }).reshape(shape),
      ]),
    );
    const compiled = jit((x) => compute(x, inputs));
    const once = () => [compiled(tree.ref(arrays))].flat();
    return {
      async run(times) {
        // Arrays are lazy: gpuBufferSync submits the work without waiting, and consumes the array.
        for (let i = 0; i < times; i++) for (const x of once()) x.gpuBufferSync();
        await device.queue.onSubmittedWorkDone();
      },
      async read() {
        const [result, ...others] = once();
        for (const x of others) x.dispose();
        return result.data();
      },
      dispose() {
        tree.dispose(arrays);
        compiled.dispose();
      },
    };
  };
  const one = (compute) => ({ jit: kernel(compute) });
  return {
    matmul: one(({ a, b }, { transA, transB }) => np.matmul(last(a, transA), last(b, transB))),
    softmax: one(({ x }) => nn.softmax(x)),
    layerNorm: one(({ x, gamma, beta }) => norm(x, gamma, beta)),
    layerNormTrain: one(({ x, gamma, beta, dy }) =>
      grad((x, gamma, beta) => norm(x, gamma, beta).mul(dy).sum(), { argnums: [0, 1, 2] })(x, gamma, beta),
    ),
    embeddingGradient: one(({ ids, dy, table }) => grad((t) => np.take(t, ids, 0).mul(dy).sum())(table)),
    crossEntropyTrain: one(({ logits, targets }) => {
      const [loss, gradient] = valueAndGrad((z) => meanLoss(z, targets))(logits);
      return [gradient, loss];
    }),
    attention: one(({ qkv }, { heads }) => attention(qkv, heads)),
    attentionTrain: one(({ qkv, dy }, { heads }) => grad((x) => attention(x, heads).mul(dy).sum())(qkv)),
  };
}
