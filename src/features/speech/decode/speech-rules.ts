// The decoding rules of speech models in the step graph: suppressed tokens and time stamps.

import type { TokenRules } from '../../../decode/token-rules.ts';
import {
  restrictionSizes,
  restrictTokensOp,
  shiftRows,
  type TokenRestrictions,
  writeRestrictions,
} from '../ops/restrict-tokens.ts';

export type { TokenRestrictions } from '../ops/restrict-tokens.ts';

/** The rules of a run; each step also outputs `watched`, see `TokenRestrictions`. */
export const speechRules = (rules: TokenRestrictions): TokenRules => ({
  apply({ graph, logits, history, step, vocab = logits.shape[2] ?? 0 }) {
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
  write: ({ masks, settings }) => writeRestrictions(masks as Uint32Array, settings as Int32Array, rules),
});
