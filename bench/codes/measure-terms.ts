// Measures hard terms: each sentence gets a word of its reference that the model does not use by itself, as a
// glossary would. How many translations have their term, and BLEU with and without it.

import { readFileSync } from 'node:fs';
import type { Model } from '../../src/api/model.ts';
import { hasTerm } from '../../src/features/documents/segment-checks.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';

/**
 * The longest word of a reference that a translation does not have; undefined if there is none of four
 * letters.
 */
function termOf(reference: string, translation: string): string | undefined {
  const words = reference.match(/\p{L}{4,}/gu) ?? [];
  const missing = words.filter((word) => !hasTerm(translation, word));
  return missing.sort((a, b) => b.length - a.length)[0];
}

/** Measures a model on pairs of a TSV file, at most `count`, and prints the figures. */
export async function measureTerms(model: Model, file: string, count: number): Promise<void> {
  const pairs = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([source, target]) => source && target)
    .slice(0, count) as [string, string][];
  const sources = pairs.map(([source]) => source);
  const options = { beams: 8, longTexts: 'skip' } as const;
  const plain = await model.translate(sources, options);
  const terms = pairs.map(([, reference], i) => termOf(reference, plain[i] ?? ''));
  const found = await model.generate(sources, {
    ...options,
    phrases: terms.map((term) => (term === undefined ? [] : [term])),
  });
  const made = found.map(([best]) => best?.text ?? '');
  const bound = [...pairs.keys()].filter((i) => terms[i] !== undefined);
  const free = [...pairs.keys()].filter((i) => terms[i] === undefined);
  const placed = bound.filter((i) => hasTerm(made[i] ?? '', terms[i] ?? '')).length;
  const bleu = (texts: readonly string[], which: readonly number[]) =>
    corpusBleu(
      which.map((i) => texts[i] ?? ''),
      which.map((i) => pairs[i]?.[1] ?? ''),
    ).score.toFixed(2);
  const same = free.filter((i) => made[i] === plain[i]).length;
  console.log(
    `terms placed                   ${placed} of ${bound.length} (${((100 * placed) / bound.length).toFixed(2)} %)`,
  );
  console.log(
    `BLEU of sentences with a term  ${bleu(plain, bound)} without it, ${bleu(made, bound)} with it`,
  );
  console.log(`sentences without a term       ${same} of ${free.length} unchanged`);
}
