// References of recurrent ops.

import { type OpReference, opReference } from '../op.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';
import { readStep } from '../step-scalars.ts';
import { ssruOp } from './ssru.ts';
import { ssruBackwardOp } from './ssru-backward.ts';
import { ssruStepOp } from './ssru-step.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** z and the gate of channel d in row r of x. */
function unitAt(x: ReferenceTensor, bias: ReferenceTensor, r: number, d: number) {
  return { z: x.at(r, d), g: sigmoid(x.at(r, bias.size + d) + bias.at(d)) };
}

/** References of the ops of this folder. */
export const recurrenceReferences: readonly OpReference[] = [
  opReference(ssruOp, ({ x, bias }, { y }) => {
    const T = x.dim(1);
    for (let b = 0; b < x.dim(0); b++)
      for (let d = 0; d < bias.size; d++) {
        let c = 0;
        for (let t = 0; t < T; t++) {
          const { z, g } = unitAt(x, bias, b * T + t, d);
          c = g * c + (1 - g) * z;
          y.set(b * T + t, d, Math.max(c, 0));
        }
      }
  }),
  opReference(ssruBackwardOp, ({ x, bias, dy }, { dx, partials }) => {
    const T = x.dim(1);
    for (let b = 0; b < x.dim(0); b++)
      for (let d = 0; d < bias.size; d++) {
        const states: number[] = [];
        for (let t = 0; t < T; t++) {
          const { z, g } = unitAt(x, bias, b * T + t, d);
          states.push(g * (states[t - 1] ?? 0) + (1 - g) * z);
        }
        let carried = 0;
        for (let t = T - 1; t >= 0; t--) {
          const r = b * T + t;
          const { z, g } = unitAt(x, bias, r, d);
          const dc = carried + ((states[t] ?? 0) > 0 ? dy.at(r, d) : 0);
          const df = dc * ((states[t - 1] ?? 0) - z) * g * (1 - g);
          dx.set(r, d, dc * (1 - g));
          dx.set(r, bias.size + d, df);
          partials.add(b, d, df);
          carried = dc * g;
        }
      }
  }),
  opReference(ssruStepOp, ({ x, bias, parents, state, step }, { y }, { beams }) => {
    const { position } = readStep(step.data);
    const half = position % 2;
    for (let r = 0; r < x.rows; r++)
      for (let d = 0; d < bias.size; d++) {
        const { z, g } = unitAt(x, bias, r, d);
        const parent = r - (r % beams) + parents.at(r);
        const before = position > 0 ? state.at(parent, 1 - half, d) : 0;
        const c = g * before + (1 - g) * z;
        state.set(r, half, d, c);
        y.set(r, d, Math.max(c, 0));
      }
  }),
];
