// Operations that tfjs-core lacks or computes slowly: layer norm, sparse cross-entropy, and gradients with
// tf.customGrad if the built-in gradient is slow. peer-options.ts lists the variants that were timed.
import * as tf from '@tensorflow/tfjs-core';

/** Any tensor as a vector. */
export const flatten = (x) => tf.reshape(x, [-1]);

const ones = new Map();
/** A cached row of ones [1, n], for column sums by matMul. */
function onesRow(n) {
  if (!ones.has(n)) ones.set(n, tf.keep(tf.ones([1, n])));
  return ones.get(n);
}

const columnSum = (x, how) => (how === 'sum' ? tf.sum(x, 0) : flatten(tf.matMul(onesRow(x.shape[0]), x)));

/**
 * A transposed copy, computed as a batch of one: the kernel for plain matrices uses barriers, which are slow
 * on software adapters.
 */
export const transposed = (w) =>
  tf.reshape(tf.transpose(tf.reshape(w, [1, ...w.shape]), [0, 2, 1]), [w.shape[1], w.shape[0]]);

/** (x [n, in], w [in, out], b [out]) => x · w + b */
export const linearOp = ({ dx, columnSum: how }) =>
  tf.customGrad((x, w, b, save) => {
    save([x, w]);
    return {
      value: tf.fused.matMul({ a: x, b: w, bias: b }),
      gradFunc: (dy, [x, w]) => [
        dx === 'transpose' ? tf.matMul(dy, transposed(w)) : tf.matMul(dy, w, false, true),
        tf.matMul(x, dy, true, false),
        columnSum(dy, how),
      ],
    };
  });

/**
 * Gradient of a table [V, D] with respect to its rows at `ids` [n]; scatterND adds the rows of repeated ids.
 */
export const scatterRows = (ids, dy, shape) => tf.scatterND(tf.reshape(ids, [-1, 1]), dy, shape);

/** table [V, D] => its rows at ids, [n, D] */
export const embeddingOp = (ids) =>
  tf.customGrad((table) => ({
    value: tf.gather(table, ids),
    gradFunc: (dy) => scatterRows(ids, dy, table.shape),
  }));

/** (x [n, D], g, b [D]) => layer norm of each row */
export const layerNormOp = (eps, { columnSum: how }) =>
  tf.customGrad((x, g, b, save) => {
    const centred = tf.sub(x, tf.mean(x, 1, true));
    const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), eps));
    const normed = tf.mul(centred, rstd);
    save([normed, rstd, g]);
    return {
      value: tf.add(tf.mul(normed, g), b),
      gradFunc: (dy, [normed, rstd, g]) => {
        const dn = tf.mul(dy, g);
        const along = tf.mul(normed, tf.mean(tf.mul(dn, normed), 1, true));
        const dx = tf.mul(tf.sub(tf.sub(dn, tf.mean(dn, 1, true)), along), rstd);
        return [dx, columnSum(tf.mul(dy, normed), how), columnSum(dy, how)];
      },
    };
  });

/** The same, differentiated by the library. */
export function layerNormAuto(x, g, b, eps) {
  const { mean, variance } = tf.moments(x, 1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps))), g), b);
}

/** logits [n, V] => the loss of each row against labels [n], smoothed by s: [n] */
export const nllOp = (labels, s) =>
  tf.customGrad((logits, save) => {
    const [n, V] = logits.shape;
    const logp = tf.logSoftmax(logits);
    save([logp]);
    const place = tf.add(tf.mul(tf.range(0, n, 1, 'int32'), tf.scalar(V, 'int32')), labels);
    let nll = tf.neg(tf.gather(flatten(logp), place));
    if (s > 0) nll = tf.sub(tf.mul(nll, 1 - s), tf.mul(tf.sum(logp, 1), s / V));
    return {
      value: nll,
      gradFunc: (dy, [logp]) => {
        const target = tf.oneHot(labels, V, 1 - s + s / V, s / V, 'float32');
        return tf.mul(tf.sub(tf.exp(logp), target), tf.reshape(dy, [n, 1]));
      },
    };
  });

/** The same, differentiated by the library. */
export function nllAuto(labels, s, logits) {
  const V = logits.shape[1];
  const target = tf.oneHot(labels, V, 1 - s + s / V, s / V, 'float32');
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), target), 1));
}

/** The exact GELU. */
export const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

/**
 * [B * L, n * H * W] => n tensors [B, H, L, W] by one transpose; n > 1, since tf.unstack of one has no
 * gradient.
 */
export const splitHeads = (x, [B, L, n, H, W]) =>
  tf.unstack(tf.transpose(tf.reshape(x, [B, L, n, H, W]), [2, 0, 3, 1, 4]));

/** Attention of q, k, v [B, H, L, W] with an optional additive mask: [B * L, H * W] */
export function attend(q, k, v, mask) {
  const [B, H, L, W] = q.shape;
  const scaled = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(W));
  const scores = mask ? tf.add(scaled, mask) : scaled;
  return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]), [B * L, H * W]);
}
