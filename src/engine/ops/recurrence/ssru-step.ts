// One step of an SSRU in decoding: each row has one state in place of a KV cache, and takes that of the row
// that it continues.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, type TensorType, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { channelsOf, scanLaunch, scanVariants } from './ssru.ts';

/** Rows of a sentence. */
export type SsruStepAttrs = { readonly beams: number };

/**
 * x [R,1,2D] and bias [D] as in `ssru`, parents i32 [R]: the row of its sentence that each row continues,
 * counted from the sentence's first; state [R,2,D] (a state, written), of which a step at position p reads
 * half 1 - p % 2 and writes half p % 2; step. y [R,1,D]. At position 0 nothing is read.
 */
export const ssruStepOp = defineOp({
  name: 'ssru_step',
  inputs: ['x', 'bias', 'parents', 'state', 'step'],
  outputs: ['y'],
  attrs: attrsOf<SsruStepAttrs>(),
  shape({ x, bias, parents, state, step }, { beams }) {
    const name = 'ssru_step';
    const D = channelsOf(name, x, bias);
    const R = dim(x, 0);
    expectType(name, 'x', x, 'f32', [R, 1, 2 * D], 'one position');
    expectType(name, 'parents', parents, 'i32', [R], 'one for each row of x');
    expectType(name, 'state', state, 'f32', [R, 2, D], 'two halves for each row of x');
    expectStep(name, step);
    check(beams >= 1 && R % beams === 0, () => msg`${R} rows are not a multiple of ${beams} beams`, {
      area: name,
    });
    return { y: tensorType('f32', [R, 1, D]) };
  },
  mutates: ['state'],
  // No beam has swapped places.
  sample: (_inputs, { beams }) => ({ parents: (i) => i % beams }),
  variants: ({ x, bias }: Record<'x' | 'bias', TensorType>) =>
    scanVariants(dim(x, 0) * dim(bias, 0), dim(bias, 0)),
  launch: ({ x, ...inputs }, { y }, { beams }, { variant }) => [
    scanLaunch('ssru_step', x, { x, ...inputs, y }, variant, beams),
  ],
});

/**
 * One step of decoding with an SSRU: x [R,1,2D]; [R,1,D]. Writes `state` [R,2,D].
 *
 * @example
 * const [x, parents] = [graph.input('x', 'f32', [8, 1, 128]), graph.input('parents', 'i32', [8])];
 * const [bias, state] = [graph.state('bias', 'f32', [64]), graph.state('state', 'f32', [8, 2, 64])];
 * const y = ssruStep(graph, x, bias, parents, state, step, { beams: 4 }); // [8, 1, 64]
 */
export const ssruStep = (
  builder: Builder,
  x: Value,
  bias: Value,
  parents: Value,
  state: Value,
  step: Value,
  attrs: SsruStepAttrs,
): Value => builder.apply(ssruStepOp, { x, bias, parents, state, step }, attrs).y;
