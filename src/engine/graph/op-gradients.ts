// The gradients of all ops of this library, each as ordinary nodes. A user's op has its gradient in its
// definition; those of the library are apart from the definitions, so that only training loads them.

import { check, HeddleError } from '../../core/errors.ts';
import { dim, matrixOf } from '../../core/tensor.ts';
import { crossAttentionOp, selfAttentionOp } from '../ops/attention/attention.ts';
import {
  crossAttentionBackwardOp,
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from '../ops/attention/attention-backward.ts';
import { relativePositionBiasOp } from '../ops/attention/relative-position-bias.ts';
import { activationBackwardOp, gatedActivationBackwardOp } from '../ops/elementwise/activation-backward.ts';
import { columnSum } from '../ops/elementwise/column-sum.ts';
import { addColumnsOp, takeColumns, takeColumnsOp } from '../ops/elementwise/columns.ts';
import type { DropoutAttrs } from '../ops/elementwise/elementwise-ops.ts';
import { activationOp, addOp, dropout, dropoutOp, keepsInput } from '../ops/elementwise/elementwise-ops.ts';
import { gatedActivationOp } from '../ops/elementwise/gated-activation.ts';
import { embeddingOp } from '../ops/embedding/embedding.ts';
import { embeddingBackwardOp, positionBackwardOp } from '../ops/embedding/embedding-backward.ts';
import { crossEntropyBackwardOp, crossEntropyOp } from '../ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../ops/loss/projected-loss.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { linearBackward } from '../ops/matmul/linear-backward.ts';
import { matmul, matmulOp } from '../ops/matmul/matmul.ts';
import type { Form } from '../ops/matmul/matmul-kernels.ts';
import { packedLinearOp } from '../ops/matmul/packed-linear.ts';
import { packedLinearBackwardOp } from '../ops/matmul/packed-linear-backward.ts';
import {
  addLayerNormOp,
  addRmsNormOp,
  type LayerNormAttrs,
  layerNormOp,
  rmsNormOp,
} from '../ops/norm/layer-norm.ts';
import { layerNormBackwardOp, rmsNormBackwardOp } from '../ops/norm/layer-norm-backward.ts';
import { softmaxBackwardOp, softmaxOp } from '../ops/norm/softmax.ts';
import type { Attrs, Builder, Op, SomeByName, Value } from '../ops/op.ts';

/** Pairs an op with its gradient, whose types follow from the op. */
const gradient = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  grad: NoInfer<NonNullable<Op<I, O, A>['grad']>>,
): [object, unknown] => [op, grad];

function noLseGradient(name: string, dlse: Value | undefined): void {
  if (dlse)
    throw new HeddleError(`${name}: the logsumexp, lse, has no gradient; derive losses from out only`);
}

/** The inputs of a norm that its gradient reads; RMSNorm has no beta. */
interface NormInputs {
  readonly x: Value;
  readonly gamma: Value;
  readonly beta?: Value;
  readonly step?: Value | undefined;
}

/** The gradients of a norm of s = x, or of s = residual + dropout(x). */
function normGradients(
  builder: Builder,
  backward: typeof layerNormBackwardOp,
  { x, gamma, beta, step }: NormInputs,
  { s = x, stats }: { readonly s?: Value; readonly stats: Value },
  { y: dy, s: ds }: { readonly y?: Value | undefined; readonly s?: Value | undefined },
  { rate = 0, site = 0 }: Partial<DropoutAttrs> & LayerNormAttrs,
): Record<string, Value | undefined> {
  const mask = { rate, site };
  if (!dy) return { x: ds && step ? dropout(builder, ds, step, mask) : ds, residual: ds };
  const { dsTotal, partials, dx } = builder.apply(backward, { dy, s, stats, gamma, ds, step }, mask);
  const needsWeights = builder.needs(gamma) || (beta && builder.needs(beta));
  const [dgamma, dbeta] = needsWeights ? columnSum(builder, partials, beta ? 2 : 1) : [];
  return { x: dx ?? dsTotal, residual: dsTotal, gamma: dgamma, beta: dbeta };
}

/** Throws if an output of a loss op has a gradient: the loss must be the root of the backward pass. */
function checkRoot(op: string, dOutputs: SomeByName<string>): void {
  if (Object.values(dOutputs).some((d) => d !== undefined))
    throw new Error(`${op}: is the root of the loss, its outputs have no gradient`);
}

/** The gradients of the ops that have one, by family. */
const gradients = new Map<object, unknown>([
  // matmul
  gradient(matmulOp, (builder, { a, b }, _outputs, { c: dc }, { transA, transB, batched }) => {
    if (!dc) return {};
    const product = (x: Value, y: Value, form: Form) =>
      matmul(builder, x, y, { transA: form === 'TN', transB: form === 'NT', batched });
    const da = () => (transA ? product(b, dc, 'NT') : product(dc, b, transB ? 'NN' : 'NT'));
    const db = () => (transB ? product(dc, a, 'TN') : product(a, dc, transA ? 'NN' : 'TN'));
    return { a: builder.needs(a) ? da() : undefined, b: builder.needs(b) ? db() : undefined };
  }),
  gradient(
    linearOp,
    (builder, { x, w, b, step }, { y, z }, { y: dy, z: dz }, { activation: kind, rate = 0, site = 0 }) => {
      if (dz) throw new Error('linear: z is for the gradient of y, it has no gradient of its own');
      if (!dy) return {};
      const dActivated = step ? dropout(builder, dy, step, { rate, site }) : dy;
      // Where y is dropped, ReLU's derivative at y is 0, but so is dActivated.
      const dProduct =
        kind === 'none'
          ? dActivated
          : builder.apply(activationBackwardOp, { x: z ?? y, dy: dActivated }, { kind }).dx;
      const wanted = { dx: builder.needs(x), dw: builder.needs(w), db: b !== undefined && builder.needs(b) };
      const { dx, dw, db } = linearBackward(builder, dProduct, x, w, wanted);
      return { x: dx, w: dw, b: db };
    },
  ),
  gradient(packedLinearOp, (builder, { x, words, scales }, _outputs, { y: dy }, { format }) => {
    if (!dy || !builder.needs(x)) return {};
    const ins = matrixOf(x.shape).cols;
    return { x: builder.apply(packedLinearBackwardOp, { dy, words, scales }, { format, ins }).dx };
  }),
  // attention
  gradient(selfAttentionOp, (builder, inputs, { out, lse }, { out: dout, lse: dlse }, attrs) => {
    noLseGradient('self_attention', dlse);
    if (!dout) return {};
    const backward = { ...attrs, ...(inputs.bias && builder.needs(inputs.bias) && { biasGradient: true }) };
    const { dqkv, dbias } = builder.apply(selfAttentionBackwardOp, { ...inputs, out, lse, dout }, backward);
    return { qkv: dqkv, bias: dbias };
  }),
  gradient(
    crossAttentionOp,
    (builder, { q, kv, lens, step }, { out, lse }, { out: dout, lse: dlse }, attrs) => {
      noLseGradient('cross_attention', dlse);
      if (!dout) return {};
      const { dq, dkv } = builder.apply(
        crossAttentionBackwardOp,
        { q, kv, out, lse, dout, lens, step },
        attrs,
      );
      return { q: dq, kv: dkv };
    },
  ),
  gradient(relativePositionBiasOp, (builder, { table }, _outputs, { bias: dbias }, attrs) =>
    dbias
      ? {
          table: builder.apply(
            relativePositionBiasBackwardOp,
            { dbias },
            { ...attrs, buckets: dim(table, 0) },
          ).dtable,
        }
      : {},
  ),
  // norm
  gradient(layerNormOp, (builder, ...rest) => normGradients(builder, layerNormBackwardOp, ...rest)),
  gradient(addLayerNormOp, (builder, ...rest) => normGradients(builder, layerNormBackwardOp, ...rest)),
  gradient(rmsNormOp, (builder, ...rest) => normGradients(builder, rmsNormBackwardOp, ...rest)),
  gradient(addRmsNormOp, (builder, ...rest) => normGradients(builder, rmsNormBackwardOp, ...rest)),
  gradient(softmaxOp, (builder, { lens }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(softmaxBackwardOp, { y, dy, lens }, attrs).dx,
  })),
  // elementwise
  gradient(activationOp, (builder, { x }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(activationBackwardOp, { x: keepsInput(attrs.kind) ? x : y, dy }, attrs).dx,
  })),
  gradient(addOp, (_builder, _inputs, _outputs, { y: dy }) => ({ a: dy, b: dy })),
  gradient(addColumnsOp, (builder, { x, u }, _outputs, { y: dy }, attrs) => {
    if (!dy) return {};
    const du = () => takeColumns(builder, dy, { ...attrs, count: matrixOf(u.shape).cols });
    return { x: builder.needs(x) ? dy : undefined, u: builder.needs(u) ? du() : undefined };
  }),
  gradient(takeColumnsOp, (builder, { x }, _outputs, { y: dy }, attrs) => {
    check(attrs.count === matrixOf(x.shape).cols, 'take_columns: only all columns together have a gradient');
    return { x: dy && takeColumns(builder, dy, attrs) };
  }),
  gradient(dropoutOp, (builder, { step }, _outputs, { y: dy }, attrs) => ({
    x: dy && dropout(builder, dy, step, attrs),
  })),
  gradient(gatedActivationOp, (builder, { x }, _outputs, { y: dy }, attrs) => ({
    x: dy && builder.apply(gatedActivationBackwardOp, { x, dy }, attrs).dx,
  })),
  // embedding
  gradient(
    embeddingOp,
    (builder, { table, positions, step, rowStart, occurrences }, _outputs, { out: dy }, attrs) => {
      if (!dy) return {};
      const { rate, site, scale, offset, frozenId } = attrs;
      if (attrs.decode) throw new HeddleError('embedding: decoding at step.position has no gradient');
      const tableGradient = () => {
        if (!rowStart || !occurrences)
          throw new Error('embedding: the gradient of the table needs rowStart and occurrences');
        return builder.apply(
          embeddingBackwardOp,
          { dy, rowStart, occurrences, step },
          { rate, site, scale, frozenId },
        ).dtable;
      };
      const dtable = builder.needs(table) ? tableGradient() : undefined;
      if (attrs.positions !== 'learned' || !positions || !builder.needs(positions)) return { table: dtable };
      const sizes = { rate, site, rows: dim(positions, 0), offset };
      return { table: dtable, positions: builder.apply(positionBackwardOp, { dy, step }, sizes).dpositions };
    },
  ),
  // loss
  gradient(crossEntropyOp, (builder, inputs, { lse, dlogits }, dOutputs, { smoothing, ignore, classes }) => {
    checkRoot('cross_entropy', dOutputs);
    if (!lse) return { logits: dlogits };
    const attrs = { smoothing, ignore, classes };
    return { logits: builder.apply(crossEntropyBackwardOp, { ...inputs, lse }, attrs).dlogits };
  }),
  gradient(projectedLossOp, (_builder, _inputs, { dx, dw, db }, dOutputs, { gradients }) => {
    checkRoot('projected_loss', dOutputs);
    if (!gradients) throw new Error('projected_loss: has no gradient unless it is built with `gradients`');
    return { x: dx, w: dw, b: db };
  }),
]);

/** The gradient of an op: that of its definition, or of this library; undefined if it has none. */
export const gradientOf = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
): Op<I, O, A>['grad'] => op.grad ?? (gradients.get(op) as Op<I, O, A>['grad']);
