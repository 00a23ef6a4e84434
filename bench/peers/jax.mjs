// jax-js on WebGPU as a contestant: the encoder-decoder of the golden cases as one jit-compiled training
// step, and single kernels. It uses the library's idioms: valueAndGrad inside jit, nn.dotProductAttention,
// nn.logSoftmax. AdamW of its optimizer package reads a step count back, which jit cannot trace, so the
// update is implemented inside the same jit. Ownership: every function of the library consumes its arrays;
// `.ref` adds a reference for another use.
import { defaultDevice, getWebGPUDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { sinusoids } from '../../src/engine/ops/embedding/sinusoids.ts';
import { jaxKernels } from './jax-kernels.mjs';
import { layerNorm } from './jax-ops.mjs';
import { encodeDecode } from './peer-network.mjs';
import { defaultsOf } from './peer-options.ts';
import { peerParameters, sizesOf } from './peer-parameters.ts';

/** Opens the device; `options`: see peer-options.ts. */
export async function create(options = {}) {
  const variants = { ...defaultsOf('jax'), ...options };
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js found no WebGPU device');
  defaultDevice('webgpu');
  const device = getWebGPUDevice();
  return {
    name: 'jax-js',
    device,
    memory: () => null,
    model: (golden) => createModel(golden, variants),
    kernels: jaxKernels(device),
  };
}

const f32 = (t) => np.array(t.data).reshape(t.shape);
const i32 = (t) => np.array(t.data, { dtype: np.int32 }).reshape(t.shape);
const scalar = (x) => np.array(x, { dtype: np.float32 });
const mapValues = (o, f) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, f(v)]));

/** logits, [B * T, V] */
function forward(c, variants, p, { src, tgtIn, positions }) {
  const [B, S] = src.shape;
  const T = tgtIn.shape[1];
  const [D, H, W] = [c.dModel, c.heads, c.headWidth];
  const inner = H * W;
  const linear = (x, at) => {
    const y = np.dot(x, p[`${at}.w`].ref);
    return p[`${at}.b`] ? y.add(p[`${at}.b`].ref) : y;
  };
  const norm = (x, at) => layerNorm(x, p[`${at}.g`].ref, p[`${at}.b`].ref, c.layerNormEps);
  const activation = (x) => (c.activation === 'gelu' ? nn.gelu(x, { approximate: false }) : nn.relu(x));

  const embed = (side) => {
    const [ids, table, L, learned] =
      side === 'source' ? [src, p.srcEmbed, S, p.srcPos] : [tgtIn, p.tgtEmbed ?? p.srcEmbed, T, p.tgtPos];
    let x = np.take(table.ref, ids, 0); // [B, L, D]
    if (c.scaleEmbedding) x = x.mul(Math.sqrt(D));
    return x.add((learned ?? positions).ref.slice([0, L])).reshape([B * L, D]);
  };
  const heads = (x, L) => x.reshape([B, L, H, W]);
  const attend = (q, k, v, Lq, Lk, mask) => {
    if (variants.attention === 'library')
      return nn
        .dotProductAttention(heads(q, Lq), heads(k, Lk), heads(v, Lk), { mask: mask.ref })
        .reshape([B * Lq, inner]);
    const headsFirst = (x, L) => heads(x, L).transpose([0, 2, 1, 3]);
    const scores = np.matmul(headsFirst(q, Lq), np.matrixTranspose(headsFirst(k, Lk))).mul(1 / Math.sqrt(W));
    const out = np.matmul(nn.softmax(np.where(mask.ref, scores, -Infinity)), headsFirst(v, Lk));
    return out.transpose([0, 2, 1, 3]).reshape([B * Lq, inner]);
  };
  /** Splits x · w + b into n arrays of width H·W. */
  const split = (x, at, n) => {
    if (variants.qkv === 'one') return np.split(linear(x, at), n, -1);
    const range = (i) => [i * inner, (i + 1) * inner];
    const out = Array.from({ length: n }, (_, i) =>
      np.dot(x.ref, p[`${at}.w`].ref.slice([], range(i))).add(p[`${at}.b`].ref.slice(range(i))),
    );
    x.dispose();
    return out;
  };
  const selfAttention = (x, at, side) => {
    const [L, mask] = side === 'source' ? [S, srcMask] : [T, tgtMask];
    const [q, k, v] = split(x, `${at}.qkv`, 3);
    return linear(attend(q, k, v, L, L, mask), `${at}.out`);
  };
  const crossAttention = (x, memory, at) => {
    const q = linear(x, `${at}.q`);
    const [k, v] = split(memory.ref, `${at}.kv`, 2);
    return linear(attend(q, k, v, T, S, srcMask), `${at}.out`);
  };
  const feedForward = (x, at) => linear(activation(linear(x, `${at}.ff1`)), `${at}.ff2`);
  const residual = (x, at, block) =>
    c.norm === 'pre' ? x.ref.add(block(norm(x, at))) : norm(x.ref.add(block(x)), at);

  // Masks: true for keys that a query may attend to.
  const srcMask = src.ref.notEqual(c.padId).reshape([B, 1, 1, S]);
  const tgtMask = tgtIn.ref
    .notEqual(c.padId)
    .reshape([B, 1, 1, T])
    .mul(np.tri(T, T, 0, { dtype: np.bool }));

  const ops = { embed, norm, residual, selfAttention, crossAttention, feedForward };
  const { memory, y } = encodeDecode(c, ops);
  for (const x of [memory, srcMask, tgtMask, positions]) x.dispose();

  if (c.tie === 'none') return linear(y, 'generator');
  const logits = np.dot(y, (p.tgtEmbed ?? p.srcEmbed).ref.transpose());
  return p['generator.b'] ? logits.add(p['generator.b'].ref) : logits;
}

/** Mean label-smoothed loss of the tokens that are not padding. Consumes its arrays. */
function lossOf(c, variants, p, { targetOut, ...batch }) {
  const logp = nn.logSoftmax(forward(c, variants, p, batch)); // [N, V]
  const [N, V] = logp.shape;
  const s = c.labelSmoothing;
  const labels = targetOut.reshape([N, 1]);
  const keep = labels.ref.notEqual(c.padId).astype(np.float32).reshape([N]);
  // A comparison with a range, not nn.oneHot, which gathers from a V × V identity.
  const hit = np.arange(V).reshape([1, V]).equal(labels);
  const target = s > 0 ? np.where(hit, 1 - s + s / V, s / V).mul(logp) : np.where(hit, logp, 0);
  const total = target.sum(-1).mul(keep.ref).sum();
  tree.dispose(p);
  return total.neg().div(keep.sum());
}

const squaredNorm = (g, how) => (how === 'two' ? np.square(g).sum(-1).sum() : np.square(g).sum());
const globalNorm = (gradients, how) =>
  np.sqrt(
    Object.values(gradients)
      .map((g) => squaredNorm(g.ref, how))
      .reduce((a, b) => a.add(b)),
  );

/**
 * Clipping and AdamW as a function for jit: (parameters, moments, gradients, scalars) => new parameters and
 * moments.
 */
const updateOf = (o, variants) => (params, moment1, moment2, gradients, rate, rootCorrection) => {
  const clip =
    o.clipNorm > 0
      ? np.minimum(np.reciprocal(globalNorm(gradients, variants.norm).add(1e-6)).mul(o.clipNorm), 1)
      : null;
  const out = { params: {}, moment1: {}, moment2: {} };
  for (const k of Object.keys(params)) {
    const g = clip ? gradients[k].mul(clip.ref) : gradients[k];
    const m = moment1[k].mul(o.beta1).add(g.ref.mul(1 - o.beta1));
    const v = moment2[k].mul(o.beta2).add(np.square(g).mul(1 - o.beta2));
    const change = m.ref.mul(rate.ref).div(np.sqrt(v.ref).mul(rootCorrection.ref).add(o.eps));
    const decayed = o.weightDecay > 0 ? params[k].mul(1 - o.learningRate * o.weightDecay) : params[k];
    out.params[k] = decayed.sub(change);
    out.moment1[k] = m;
    out.moment2[k] = v;
  }
  for (const x of [rate, rootCorrection]) x.dispose();
  clip?.dispose();
  return out;
};

function createModel(golden, variants) {
  const { config: c, optimizer: o } = golden;
  const { S, T } = sizesOf(golden);
  const params = mapValues(peerParameters(golden), f32);
  const zeros = () => mapValues(params, (x) => np.zerosLike(x.ref));
  const state = { params, moment1: zeros(), moment2: zeros() };
  const longest = Math.max(S, T);
  const positions = f32({ shape: [longest, c.dModel], data: sinusoids(longest, c.dModel, 'interleaved') });
  let t = 0;

  const loss = (params, batch) => lossOf(c, variants, params, batch);
  const valueAndGrads = valueAndGrad(loss);
  const update = updateOf(o, variants);
  const compiled = {
    loss: jit(loss),
    norm: jit((params, batch) => {
      const [value, gradients] = valueAndGrads(params, batch);
      value.dispose();
      const norm = globalNorm(gradients, variants.norm);
      tree.dispose(gradients);
      return norm;
    }),
    whole: jit((params, moment1, moment2, batch, ...scalars) => {
      const [value, gradients] = valueAndGrads(tree.ref(params), batch);
      return { loss: value, ...update(params, moment1, moment2, gradients, ...scalars) };
    }),
    gradients: jit(valueAndGrads),
    update: jit(update),
  };
  const stepOf = {
    whole: compiled.whole,
    apart(params, moment1, moment2, batch, ...scalars) {
      const [value, gradients] = compiled.gradients(tree.ref(params), batch);
      return { loss: value, ...compiled.update(params, moment1, moment2, gradients, ...scalars) };
    },
  }[variants.step];
  /** Uploads the ids, as in every step. */
  const upload = () => ({
    src: i32(golden.source),
    tgtIn: i32(golden.targetIn),
    targetOut: i32(golden.targetOut),
    positions: positions.ref,
  });
  const read = async (f) => (await f(tree.ref(state.params), upload()).data())[0];
  return {
    loss: () => read(compiled.loss),
    gradNorm: () => read(compiled.norm),
    async step() {
      t++;
      const scalars = [scalar(o.learningRate / (1 - o.beta1 ** t)), scalar(1 / Math.sqrt(1 - o.beta2 ** t))];
      const { loss, ...next } = stepOf(state.params, state.moment1, state.moment2, upload(), ...scalars);
      Object.assign(state, next);
      // Arrays are lazy: if the update is a separate call, wait for one of its results too.
      if (variants.step === 'apart') await state.params.srcEmbed.blockUntilReady();
      return (await loss.data())[0];
    },
    dispose() {
      tree.dispose([state, positions]);
      for (const f of Object.values(compiled)) f.dispose();
    },
  };
}
