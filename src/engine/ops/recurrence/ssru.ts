// SSRU, the recurrent unit that Marian's small decoders have in place of self-attention, over a whole sequence:
// sigmoid, scan over time and ReLU in one kernel. ssru-step.ts has the op of decoding.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { type Builder, defineOp, type Launch, type Value, type Variant } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { gridOf, shaderFor } from '../work-division.ts';

/** A kernel of the scan: a thread computes four channels at once, or one. */
export interface ScanVariant extends Variant {
  readonly scalar: boolean;
}

const vectors: ScanVariant = { name: 'vec4', scalar: false, forSoftware: true };
const scalars: ScanVariant = { name: 'scalar', scalar: true };

/** Number of channels of all rows below which a GPU needs a thread for each. */
const fewChannels = 2 ** 17;

/** The kernels for `channels` channels in rows of `width`. */
export const scanVariants = (channels: number, width: number): readonly ScanVariant[] =>
  width % 4 > 0 ? [scalars] : channels < fewChannels ? [scalars, vectors] : [vectors, scalars];

/** D, the number of channels of x [.., 2D]. Throws a HeddleError if x or the bias does not fit. */
export function channelsOf(op: string, x: TensorType, bias: TensorType): number {
  expectType(op, 'x', x, 'f32');
  check(
    x.shape.length === 3 && dim(x, 2) % 2 === 0,
    () => msg`x is ${show(x.shape)}, must be [B,T,2D], z and then the gate of each position`,
    { area: op },
  );
  const D = dim(x, 2) / 2;
  expectType(op, 'bias', bias, 'f32', [D], 'one for each gate of x');
  return D;
}

/** A dispatch of shaders/recurrence/ssru.wgsl for x [B,T,2D]. */
export function scanLaunch(
  entry: string,
  x: Value,
  bind: Launch['bind'],
  { scalar }: ScanVariant,
  beams = 1,
): Launch {
  const [rows = 0, length = 0, columns = 0] = x.shape;
  const width = columns / 2;
  const vecs = scalar ? width : width / 4;
  return {
    shader: scalar ? 'ssru-scalar' : shaderFor('ssru', width),
    entry,
    params: { rows, length, vecs, beams },
    bind,
    grid: gridOf(rows * vecs, 64),
    flops: 4 * sizeOf(x.shape),
  };
}

/**
 * x [B,T,2D], whose rows hold z and then f, and a bias [D] of f; y [B,T,D] = relu(c), where c[t] = g[t] c[t-1]
 * + (1 - g[t]) z[t], c[-1] = 0 and g = sigmoid(f + bias).
 */
export const ssruOp = defineOp({
  name: 'ssru',
  inputs: ['x', 'bias'],
  outputs: ['y'],
  shape({ x, bias }) {
    const D = channelsOf('ssru', x, bias);
    return { y: tensorType('f32', [dim(x, 0), dim(x, 1), D]) };
  },
  f16Storage: ['x', 'y'],
  variants: ({ x, bias }: Record<'x' | 'bias', TensorType>) =>
    scanVariants(dim(x, 0) * dim(bias, 0), dim(bias, 0)),
  launch: ({ x, bias }, { y }, _attrs, { variant }) => [scanLaunch('ssru', x, { x, bias, y }, variant)],
});

/**
 * The SSRU of x [B,T,2D] with the bias [D] of its gates: [B,T,D].
 *
 * @example
 * const x = graph.input('x', 'f32', [8, 20, 128]);
 * const y = ssru(graph, x, graph.state('bias', 'f32', [64])); // [8, 20, 64]
 */
export const ssru = (builder: Builder, x: Value, bias: Value): Value => builder.apply(ssruOp, { x, bias }).y;
