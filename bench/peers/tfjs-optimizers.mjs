// AdamW with clipping for TensorFlow.js, in the variants that were timed. Each is an object
// { apply(gradients, step), dispose() }.
import * as tf from '@tensorflow/tfjs-core';
import { flatten } from './tfjs-ops.mjs';

/** Sum of squares of a vector in two stages: one tf.sum would run in a single workgroup. */
export function sumOfSquares(flat) {
  const n = flat.size;
  const width = 1024;
  const whole = Math.floor(n / width) * width;
  const square = tf.square(flat);
  if (whole === 0) return tf.sum(square);
  const body = tf.sum(tf.sum(tf.reshape(tf.slice(square, [0], [whole]), [-1, width]), 1));
  return whole === n ? body : tf.add(body, tf.sum(tf.slice(square, [whole], [n - whole])));
}

/**
 * Not tf.addN: on WebGPU its result is wrong, without an error, for more than 7 tensors (over 8 storage
 * buffers).
 */
const normOfEach = (gradients) => tf.sum(tf.stack(gradients.map((g) => sumOfSquares(flatten(g)))));

/** min(1, clip / norm), as torch's clip_grad_norm_. */
const clipScale = (o, squaredNorm) => tf.minimum(tf.div(o.clipNorm, tf.add(tf.sqrt(squaredNorm), 1e-6)), 1);

/** AdamW on one tensor at step t, from 1: [new parameter, new m, new v]. */
function adamw(o, t, p, m, v, g) {
  const newM = tf.add(tf.mul(m, o.beta1), tf.mul(g, 1 - o.beta1));
  const newV = tf.add(tf.mul(v, o.beta2), tf.mul(tf.square(g), 1 - o.beta2));
  // lr · (m / c1) / (sqrt(v / c2) + eps), with the corrections c1, c2 folded into two constants
  const root = Math.sqrt(1 - o.beta2 ** t);
  const rate = (o.learningRate * root) / (1 - o.beta1 ** t);
  const update = tf.mul(tf.div(newM, tf.add(tf.sqrt(newV), o.eps * root)), rate);
  const decayed = o.weightDecay > 0 ? tf.mul(p, 1 - o.learningRate * o.weightDecay) : p;
  return [tf.sub(decayed, update), newM, newV];
}

/** All parameters as one vector: 14 large dispatches, plus one slice per parameter. */
function flat(o, variables) {
  const sizes = variables.map((v) => v.size);
  const total = sizes.reduce((a, b) => a + b, 0);
  const state = {
    p: tf.variable(tf.tidy(() => tf.concat1d(variables.map(flatten)))),
    m: tf.variable(tf.zeros([total])),
    v: tf.variable(tf.zeros([total])),
  };
  return {
    apply(gradients, t) {
      let g = tf.concat1d(gradients.map(flatten));
      if (o.clipNorm > 0) g = tf.mul(g, clipScale(o, sumOfSquares(g)));
      const [p, m, v] = adamw(o, t, state.p, state.m, state.v, g);
      state.p.assign(p);
      state.m.assign(m);
      state.v.assign(v);
      tf.split(p, sizes).forEach((x, i) => {
        variables[i].assign(tf.reshape(x, variables[i].shape));
      });
    },
    dispose: () => tf.dispose(state),
  };
}

/** One update per parameter. */
function each(o, variables) {
  const moments = () => variables.map((v) => tf.variable(tf.zeros(v.shape)));
  const [ms, vs] = [moments(), moments()];
  return {
    apply(gradients, t) {
      const scale = o.clipNorm > 0 ? clipScale(o, normOfEach(gradients)) : null;
      gradients.forEach((g, i) => {
        const [p, m, v] = adamw(o, t, variables[i], ms[i], vs[i], scale ? tf.mul(g, scale) : g);
        variables[i].assign(p);
        ms[i].assign(m);
        vs[i].assign(v);
      });
    },
    dispose: () => tf.dispose([ms, vs]),
  };
}

/** Clipping and the library's Adam, as most code on the web uses it. Without weight decay it equals AdamW. */
function trainAdam(o, variables) {
  if (o.weightDecay > 0) throw new Error('tf.train.adam has no weight decay');
  const adam = tf.train.adam(o.learningRate, o.beta1, o.beta2, o.eps);
  return {
    apply(gradients) {
      const scale = o.clipNorm > 0 ? clipScale(o, normOfEach(gradients)) : null;
      adam.applyGradients(
        gradients.map((g, i) => ({ name: variables[i].name, tensor: scale ? tf.mul(g, scale) : g })),
      );
    },
    dispose: () => adam.dispose(),
  };
}

/** On software adapters one vector is faster for a small model, one update per tensor for a larger one. */
const auto = (o, variables) => (variables.reduce((n, v) => n + v.size, 0) < 3e6 ? flat : each)(o, variables);

/** Optimizers by name: (optimizer settings of a golden case, variables) => optimizer. */
export const optimizers = { auto, flat, each, 'train.adam': trainAdam };
