// What is wrong with a text that is to be translated from English: another language, keyboard noise, no words.

import type { InputProblem } from '../translate-protocol.ts';
import { type KnownWords, wordsIn } from './known-words.ts';

/** Below this part of known words a text is no ordinary English. */
const fewKnown = 0.6;

/** Returns what is wrong with a text; null if it looks like English. */
export async function inputProblem(text: string, words: KnownWords): Promise<InputProblem | null> {
  const all = wordsIn(text);
  if (all.length === 0) return /\p{N}/u.test(text) ? null : { kind: 'no-words' };
  // Names are no words of any language.
  const plain = all.filter((word, i) => i === 0 || !/^\p{Lu}\p{Ll}/u.test(word));
  const known = plain.filter((word) => words.has(word)).length / plain.length;
  if (known >= fewKnown) return null;
  const { detectLanguage } = await import('../../../src/text/language-detection.ts');
  const { guesses, isSure } = detectLanguage(text);
  const [best] = guesses;
  const isLatin = /\p{Script=Latin}/u.test(text);
  if (best && best.language !== 'en' && (isSure || !isLatin) && (all.length > 1 || !isLatin))
    return { kind: 'language', language: best.language };
  return { kind: known < 0.3 && best?.language !== 'en' ? 'noise' : 'unknown-words' };
}
