// The output projection and its cross-entropy in chunks of rows, so that [B·T, V] is never whole. In training the logits of a chunk become
// their gradient in place, and all gradients come with the loss: the same kernels as linear, cross_entropy_fused and linear_backward. In
// evaluation it is those of linear and cross_entropy alone.

import { check } from '../../core/errors.ts';
import { matrixOf, type Shape, sizeOf, type TensorType } from '../../core/tensor.ts';
import { inputAt } from '../expect.ts';
import { linearOp } from '../matmul/linear.ts';
import { linearBackwardOp } from '../matmul/linear-backward.ts';
import { backwardKernels, type KernelName, productKernels } from '../matmul/matmul-kernels.ts';
import { backwardLaunches } from '../matmul/matmul-launches.ts';
import { type DeviceTraits, defineOp, type Launch, type Node, sampleIds, type Value } from '../op.ts';
import { viewOf } from '../parameter-buffers.ts';
import { teamsFor } from '../row-groups.ts';
import { type CrossEntropyAttrs, crossEntropyFusedOp, crossEntropyOp } from './cross-entropy.ts';

/** The loss's settings, whether there is a bias, whether gradients are made, and the rows of a chunk, a multiple of 64. */
export type ProjectedLossAttrs = CrossEntropyAttrs & {
  readonly bias: boolean;
  readonly gradients: boolean;
  readonly rows: number;
};

/**
 * Inputs x [..,D], w [V,D], targets i32 [..], step and, with `bias`, b [V]. Outputs nll and hit as of cross_entropy and, with `gradients`,
 * dx [..,D], dw [V,D] and, with `bias`, db [V]: then it may be the root of a gradient walk.
 */
export const projectedLossOp = defineOp<ProjectedLossAttrs>({
  name: 'projected_loss',
  shape(inputs, { bias, gradients, rows, smoothing, ignore }) {
    const [x, w, targets, step, b] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType?];
    for (const [i, name] of ['x', 'w', 'targets', 'step'].entries()) inputAt('projected_loss', inputs, i, name);
    check(rows > 0 && rows % 64 === 0, `projected_loss: chunks of ${rows} rows, must be a multiple of 64`);
    const [logits] = linearOp.shape([x, w, ...(b ? [b] : [])], { activation: 'none', bias });
    const [nll, hit] = crossEntropyFusedOp.shape([logits as TensorType, targets, step], { smoothing, ignore });
    const f32 = ({ shape }: TensorType) => ({ dtype: 'f32' as const, shape });
    return [nll as TensorType, hit as TensorType, ...(gradients ? [f32(x), f32(w), ...(b ? [f32(b)] : [])] : [])];
  },
  // The logits follow x; chunks of f16 must start at multiples of 256 bytes too.
  half: ({ attrs: { gradients, rows }, inputs: [x] }) =>
    gradients && (rows * matrixOf(x!.shape).cols) % 128 === 0
      ? { inputs: [0, 1], outputs: [2] }
      : { inputs: [], outputs: [] },
  variants: (node, traits) => kernelsOf(node, traits),
  sample: ({ inputs, attrs }) => ({ 2: sampleIds(inputs[1]!.shape[0]!, attrs.ignore) }),
  launch({ attrs: { bias, gradients: _, rows, ...loss }, inputs, outputs }, context) {
    const [x, w, targets, step, b] = inputs as [Value, Value, Value, Value, Value?];
    const [nll, hit, dx, dw, db] = outputs as [Value, Value, Value?, Value?, Value?];
    const { rows: all, cols: ins } = matrixOf(x.shape);
    const outs = w.shape[0]!;
    const logits = context.scratch(x.dtype, [Math.min(rows, all), outs]);
    const kernel = context.variant as KernelName;
    const plain = { ...context, shared: () => false };
    const chosen = { ...plain, variant: teamOf(kernel, outs) };
    const launches: Launch[] = [];
    for (let first = 0; first < all; first += rows) {
      const count = Math.min(rows, all - first);
      const part = (v: Value, width: Shape) => viewOf(v, first * sizeOf(width), [count, ...width]);
      const z = viewOf(logits, 0, [count, outs]);
      const xs = part(x, [ins]);
      const judged = [z, part(targets, []), step];
      const [nlls, hits] = [part(nll, []), part(hit, [])];
      launches.push(
        ...linearOp.launch(node(linearOp, { activation: 'none', bias }, [xs, w, ...(b ? [b] : [])], [z]), {
          ...plain,
          variant: forwardKernel(kernel, count, ins, outs, context.traits),
        }),
      );
      if (!dx || !dw) {
        const lse = context.scratch('f32', [count]); // of use to a later gradient alone
        launches.push(...crossEntropyOp.launch(node(crossEntropyOp, loss, judged, [nlls, hits, lse]), chosen));
        continue;
      }
      launches.push(
        ...crossEntropyFusedOp.launch(node(crossEntropyFusedOp, loss, judged, [nlls, hits, z]), {
          ...chosen,
          shared: () => true,
        }),
        ...backwardLaunches(
          { rows: count, ins, outs, dy: z, x: xs, w, dx: part(dx, [ins]), dw, db, accumulate: first > 0 },
          kernel,
          context,
        ),
      );
    }
    return launches;
  },
  grad(_builder, { attrs: { gradients }, outputs: [, , dx, dw, db] }, dOutputs) {
    if (!gradients || dOutputs.some((d) => d !== undefined))
      throw new Error('projected_loss: with its gradients it is the root of the loss, its outputs have none');
    return [dx, dw, undefined, undefined, db];
  },
  reference({ attrs: { bias, gradients, rows: _, ...loss }, inputs, outputs }) {
    const [x, w, targets, step, b] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const [nll, hit, ...found] = outputs as [Tensor, Tensor, ...Tensor[]];
    const shape = [matrixOf(x.shape).rows, w.shape[0]!];
    const logits: Tensor = { shape, data: new Float64Array(sizeOf(shape)) };
    linearOp.reference({ attrs: { activation: 'none', bias }, inputs: [x, w, ...(b ? [b] : [])], outputs: [logits] });
    const dy: Tensor = { shape, data: new Float64Array(logits.data.length) };
    crossEntropyFusedOp.reference({ attrs: loss, inputs: [logits, targets, step], outputs: [nll, hit, dy] });
    const wants = { dx: true, dw: true, db: bias, extra: 'none' as const };
    if (gradients) linearBackwardOp.reference({ attrs: wants, inputs: [dy, x, w], outputs: found });
  },
});

type Tensor = { readonly shape: Shape; readonly data: Float64Array };

/** Kernels of one dispatch: for the gradients where there are some, and then the forward takes one of the same family. */
function kernelsOf({ attrs, inputs: [x, w] }: Node<ProjectedLossAttrs>, traits: DeviceTraits): KernelName[] {
  const { rows, cols } = matrixOf(x!.shape);
  const [most, outs] = [Math.min(rows, attrs.rows), w!.shape[0]!];
  if (!attrs.gradients) return forwardKernels(most, cols, outs, traits);
  return backwardKernels(most, cols, outs, traits).filter((name) => name !== 'split');
}

const forwardKernels = (m: number, k: number, n: number, traits: DeviceTraits): KernelName[] =>
  productKernels({ form: 'NT', m, n, k }, traits).filter((name) => name !== 'split');

const family = (name: string): string => name.split('-')[0] as string;

/** The kernel of a chunk: that of a name or one of its family, where it suits so many rows. */
function forwardKernel(like: KernelName, m: number, k: number, n: number, traits: DeviceTraits): KernelName {
  const kernels = forwardKernels(m, k, n, traits);
  const related = kernels.find((name) => name === like) ?? kernels.find((name) => family(name) === family(like));
  return related ?? (kernels[0] as KernelName);
}

/** Where products do without workgroup memory, the loss does too. */
const teamOf = (kernel: KernelName, cols: number): string =>
  /^(registers|subgroups)/.test(kernel) ? 'team-1' : (teamsFor(cols)[0] as string);

/** A node of no graph, for its launches. */
const node = <A extends Node['attrs']>(
  op: Node<A>['op'],
  attrs: A,
  inputs: readonly Value[],
  outputs: readonly Value[],
): Node<A> => ({ id: -1, op, attrs, inputs, outputs, scope: '' });
