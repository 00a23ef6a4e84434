// The decoding rules of speech models as a restriction of the step graph: suppressed tokens and time stamps.

import type { DecodeSettings } from '../../../decode/decode-options.ts';
import type { Program } from '../../../engine/engine.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import {
  restrictionSizes,
  restrictTokensOp,
  shiftRows,
  type TokenRestrictions,
  writeRestrictions,
} from '../../../engine/ops/frames/restrict-tokens.ts';
import type { Value } from '../../../engine/ops/op.ts';

export type { TokenRestrictions } from '../../../engine/ops/frames/restrict-tokens.ts';

/** The rules of a run; each step also outputs `watched`, see `TokenRestrictions`. */
export const speechRestriction = (rules: TokenRestrictions): NonNullable<DecodeSettings['restriction']> => ({
  apply(graph: Graph, logits: Value, history: Value, step: Value, vocab = logits.shape[2] ?? 0) {
    const sizes = restrictionSizes(vocab);
    const masks = graph.input('masks', 'u32', [sizes.masks]);
    const settings = graph.input('settings', 'i32', [sizes.settings]);
    const { shift, watched } = graph.apply(
      restrictTokensOp,
      { logits, history, masks, settings, step },
      { vocab },
    );
    graph.output('watched', watched);
    return (logProbs) => shiftRows(graph, logProbs, shift);
  },
  write: ({ masks, settings }: Program['inputs']) =>
    writeRestrictions(masks as Uint32Array, settings as Int32Array, rules),
});
