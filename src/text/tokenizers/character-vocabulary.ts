// Character-level vocabularies: every code point that the texts have, a space among them.

import { normalizer, type Rules } from './normalization.ts';
import { byFrequency } from './piece-counts.ts';
import { createTokenizer, specialTokens, type Tokenizer } from './tokenizer.ts';

/** A character-level tokenizer; with `size`, of the most frequent characters only. Case is kept unless `lowercase`. */
export function trainCharacters(
  texts: Iterable<string>,
  options: { size?: number; lowercase?: boolean } = {},
): Tokenizer {
  const { size = Number.POSITIVE_INFINITY, lowercase = false } = options;
  const rules: Rules = { lowercase, pieces: 'none', digits: 1 };
  const normalize = normalizer(rules);
  const counts = new Map<string, number>();
  for (const text of texts) for (const char of normalize(text)) counts.set(char, (counts.get(char) ?? 0) + 1);
  const characters = byFrequency(counts).slice(0, Math.max(0, size - specialTokens.length));
  return createTokenizer({ kind: 'char', rules, vocab: [...specialTokens, ...characters] });
}
