// The words of a text and of its translation that belong together, from cross-attention: for each word of the
// translation the source word with the largest attention. Loaded only by calls that ask for it.

import { addedTexts, textsOfTokens, wordsOf, wordsOfTokens } from '../text/tokenizers/token-words.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { Attention } from './alignment.ts';

/** Words that belong together, `[source, target]`, each counted from 0 among the words between spaces. */
export type WordAlignment = readonly (readonly [source: number, target: number])[];

/**
 * The alignment of a text and its translation `ids`, in the order of the source. The attention is that of the last
 * layer but one, averaged over its heads (Garg et al., 2019, "Jointly Learning to Align and Translate with
 * Transformer Models"); of the only layer if there is one. `guided`: the head of the last layer that was trained by
 * guided alignment, which counts in their place; -1: none.
 */
export function wordAlignment(
  source: Tokenizer,
  target: Tokenizer,
  text: string,
  translation: { readonly ids: readonly number[]; readonly text: string },
  { layers, heads, source: sourceIds, target: predicted, weights }: Attention<number>,
  guided = -1,
): WordAlignment {
  const ids = translation.ids.slice(0, predicted.length);
  const own = sourceIds.slice(0, -1); // without the end token
  const from = wordsOfTokens(textsOfTokens(source, text, own), wordsOf(text));
  const to = wordsOfTokens(addedTexts(target, ids), wordsOf(translation.text));
  const layer = guided < 0 ? Math.max(0, layers - 2) : layers - 1;
  const counted = guided < 0 ? Array.from({ length: heads }, (_, h) => h) : [guided];
  const masses = new Map<number, Map<number, number>>();
  for (const [t, word] of to.entries()) {
    const mass = masses.get(word) ?? new Map<number, number>();
    masses.set(word, mass);
    for (const h of counted)
      for (const [s, w] of from.entries()) {
        const weight = weights[((layer * heads + h) * predicted.length + t) * sourceIds.length + s] as number;
        mass.set(w, (mass.get(w) ?? 0) + weight);
      }
  }
  return [...masses]
    .flatMap(([word, mass]) => {
      const best = [...mass].sort(([v, a], [w, b]) => b - a || v - w)[0];
      return best ? [[best[0], word] as const] : [];
    })
    .sort(([a, b], [c, d]) => a - c || b - d);
}
