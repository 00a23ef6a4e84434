// The choice of the next beams in a step graph. Loaded only by decoders that search with beams.

import { beamSelect } from '../engine/ops/decoding/beam-select.ts';
import { bestTokens } from '../engine/ops/decoding/best-tokens.ts';
import type { DecodeMode, DecodeState, StepChoice } from './decoding-graphs.ts';

/**
 * Chooses the next beams: outputs token i32 [R,1], parent i32 [R], total f32 [R] and ended f32 [R], see `beamSelectOp`.
 * `beams`: rows per sentence.
 */
export const chooseBeams =
  (beams: number, mode: DecodeMode) =>
  ({ graph, logits, history, rules, step, attrs, states, shifted }: StepChoice): void => {
    const stateOf = ({ name, dtype, shape }: DecodeState) => graph.state(name, dtype, shape);
    const chosen = bestTokens(graph, logits, history, rules, step, { ...attrs, wanted: beams });
    const best = { ...chosen, logProbs: shifted(chosen.logProbs), ends: shifted(chosen.ends) };
    const { tokens, parents, totals, ended } = beamSelect(graph, best, stateOf(states.scores), step, {
      shrinks: mode.shrinks,
    });
    graph.place(tokens, stateOf(states.token), 0);
    graph.place(parents, stateOf(states.parent), 0);
    for (const [name, v] of Object.entries({ token: tokens, parent: parents, total: totals, ended }))
      graph.output(name, v);
  };
