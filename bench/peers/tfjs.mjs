// TensorFlow.js core on its WebGPU backend as a contestant: the encoder-decoder of the golden cases and
// single kernels.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-webgpu';
import { sinusoids } from '../../src/engine/ops/embedding/sinusoids.ts';
import { encodeDecode } from './peer-network.mjs';
import { defaultsOf } from './peer-options.ts';
import { peerParameters, sizesOf } from './peer-parameters.ts';
import { tfjsKernels } from './tfjs-kernels.mjs';
import * as ops from './tfjs-ops.mjs';
import { optimizers, sumOfSquares } from './tfjs-optimizers.mjs';

/** Sets the backend; `options`: see peer-options.ts. */
export async function create(options = {}) {
  const variants = { ...defaultsOf('tfjs'), ...options };
  await tf.setBackend('webgpu');
  await tf.ready();
  if (tf.getBackend() !== 'webgpu') throw new Error(`TensorFlow.js chose ${tf.getBackend()}`);
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', variants.submitBatch);
  return {
    name: 'tfjs',
    device: tf.backend().device,
    /** Bytes of all GPU buffers the backend holds, in use and pooled; it never releases pooled ones. */
    memory: () => tf.memory().numBytesAllocatedInGPU,
    model: (golden) => createModel(golden, variants),
    kernels: tfjsKernels(variants),
  };
}

/** Uploads ids and additive masks, as in every step. */
function upload({ config: c, source, targetIn, targetOut }, { B, S, T }) {
  const hidden = -1e9;
  const srcMask = Float32Array.from(source.data, (id) => (id === c.padId ? hidden : 0));
  const tgtMask = new Float32Array(B * T * T);
  for (let b = 0; b < B; b++)
    for (let i = 0; i < T; i++)
      for (let j = 0; j < T; j++)
        if (j > i || targetIn.data[b * T + j] === c.padId) tgtMask[(b * T + i) * T + j] = hidden;
  const counted = targetOut.data.reduce((n, id) => n + (id !== c.padId), 0);
  return {
    src: tf.tensor(source.data, [B * S], 'int32'),
    tgtIn: tf.tensor(targetIn.data, [B * T], 'int32'),
    labels: tf.tensor(targetOut.data, [B * T], 'int32'),
    weight: tf.tensor(Float32Array.from(targetOut.data, (id) => (id === c.padId ? 0 : 1 / counted))),
    srcMask: tf.tensor(srcMask, [B, 1, 1, S]),
    tgtMask: tf.tensor(tgtMask, [B, 1, T, T]),
  };
}

/** The forward pass as a function of variables and a batch: logits [B * T, V]. */
function network(c, { B, S, T }, p, positions, variants) {
  const [D, H, W] = [c.dModel, c.heads, c.headWidth];
  const biased =
    variants.linear === 'custom' ? ops.linearOp(variants) : (a, b, bias) => tf.fused.matMul({ a, b, bias });
  const linear = (x, at) =>
    p[`${at}.b`] ? biased(x, p[`${at}.w`], p[`${at}.b`]) : tf.matMul(x, p[`${at}.w`]);
  const normOp =
    variants.norm === 'custom'
      ? ops.layerNormOp(c.layerNormEps, variants)
      : (x, g, b) => ops.layerNormAuto(x, g, b, c.layerNormEps);
  const norm = (x, at) => normOp(x, p[`${at}.g`], p[`${at}.b`]);
  const activation = c.activation === 'gelu' ? ops.gelu : tf.relu;

  const embed =
    ({ src, tgtIn }) =>
    (side) => {
      const [ids, table, L, learned] =
        side === 'source' ? [src, p.srcEmbed, S, p.srcPos] : [tgtIn, p.tgtEmbed ?? p.srcEmbed, T, p.tgtPos];
      let x = variants.embedding === 'custom' ? ops.embeddingOp(ids)(table) : tf.gather(table, ids);
      if (c.scaleEmbedding) x = tf.mul(x, Math.sqrt(D));
      const at = tf.slice(learned ?? positions, [0, 0], [L, D]);
      return tf.reshape(tf.add(tf.reshape(x, [B, L, D]), at), [B * L, D]);
    };
  const selfAttention =
    ({ srcMask, tgtMask }) =>
    (x, at, side) => {
      const [L, mask] = side === 'source' ? [S, srcMask] : [T, tgtMask];
      const [q, k, v] = ops.splitHeads(linear(x, `${at}.qkv`), [B, L, 3, H, W]);
      return linear(ops.attend(q, k, v, mask), `${at}.out`);
    };
  const crossAttention =
    ({ srcMask }) =>
    (x, memory, at) => {
      const q = tf.transpose(tf.reshape(linear(x, `${at}.q`), [B, T, H, W]), [0, 2, 1, 3]);
      const [k, v] = ops.splitHeads(linear(memory, `${at}.kv`), [B, S, 2, H, W]);
      return linear(ops.attend(q, k, v, srcMask), `${at}.out`);
    };
  const feedForward = (x, at) => linear(activation(linear(x, `${at}.ff1`)), `${at}.ff2`);
  const residual = (x, at, block) =>
    c.norm === 'pre' ? tf.add(x, block(norm(x, at))) : norm(tf.add(x, block(x)), at);

  return (batch) => {
    const { y } = encodeDecode(c, {
      norm,
      residual,
      feedForward,
      embed: embed(batch),
      selfAttention: selfAttention(batch),
      crossAttention: crossAttention(batch),
    });
    if (c.tie === 'none') return linear(y, 'generator');
    const logits = tf.matMul(y, p.tgtEmbed ?? p.srcEmbed, false, true);
    return p['generator.b'] ? tf.add(logits, p['generator.b']) : logits;
  };
}

async function read(tensor) {
  const [x] = await tensor.data();
  tensor.dispose();
  return x;
}

function createModel(golden, variants) {
  const { config: c, optimizer: o } = golden;
  const sizes = sizesOf(golden);
  const initial = peerParameters(golden);
  const names = Object.keys(initial);
  const p = Object.fromEntries(
    names.map((k) => [k, tf.variable(tf.tensor(initial[k].data, initial[k].shape))]),
  );
  const variables = names.map((k) => p[k]);
  const longest = Math.max(sizes.S, sizes.T);
  const positions = tf.keep(tf.tensor(sinusoids(longest, c.dModel, 'interleaved'), [longest, c.dModel]));
  const forward = network(c, sizes, p, positions, variants);
  const optimizer = optimizers[variants.optimizer](o, variables);
  let t = 0;

  const lossOf = (batch) => {
    const logits = forward(batch);
    const nll =
      variants.loss === 'custom'
        ? ops.nllOp(batch.labels, c.labelSmoothing)(logits)
        : ops.nllAuto(batch.labels, c.labelSmoothing, logits);
    return tf.sum(tf.mul(nll, batch.weight));
  };
  const gradients = () => {
    const batch = upload(golden, sizes);
    const { value, grads } = tf.variableGrads(() => lossOf(batch), variables);
    return { value, all: variables.map((v) => grads[v.name]) };
  };
  return {
    loss: () => read(tf.tidy(() => lossOf(upload(golden, sizes)))),
    gradNorm: () => read(tf.tidy(() => tf.sqrt(sumOfSquares(tf.concat1d(gradients().all.map(ops.flatten)))))),
    step() {
      t++;
      return read(
        tf.tidy(() => {
          const { value, all } = gradients();
          optimizer.apply(all, t);
          return value;
        }),
      );
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([variables, positions]);
    },
  };
}
