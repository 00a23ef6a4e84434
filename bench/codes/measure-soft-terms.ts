// Measures soft terms: each sentence gets a source word with the word of its reference that translates it, if the model
// does not use that by itself. How many translations have their term with marks in the source, with decoding that
// places it, and with both; and the translations of sentences without a term, also by the model of before.

import { readFileSync } from 'node:fs';
import type { Model } from '../../src/api/model.ts';
import { lexiconSteps, WordAligner } from '../../src/features/corpora/align/lexicon.ts';
import { hasTerm } from '../../src/features/documents/segment-checks.ts';
import { type PlacedTerm, withTermMarks } from '../../src/features/documents/soft-terms.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';
import { wordsOf } from '../../src/text/tokenizers/token-words.ts';

const options = { beams: 8, longTexts: 'skip' } as const;

const readPairs = (file: string): Pair[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [source, target] = line.split('\t');
      return source && target ? [{ source, target }] : [];
    });

/** Aligns the words of pairs, after a lexicon of other pairs. */
function alignerOf(pairs: readonly Pair[]): WordAligner {
  const steps = lexiconSteps(pairs);
  for (let next = steps.next(); ; next = steps.next()) if (next.done) return new WordAligner(next.value);
}

/** The longest word of a source, of four letters, whose translation in the reference the translation does not have. */
function termOf({ source, target }: Pair, translation: string, aligner: WordAligner): PlacedTerm | undefined {
  const [s, t] = [wordsOf(source), wordsOf(target)];
  const links = aligner.align(s, t);
  const letters = (word: string) => /\p{L}+/u.exec(word)?.[0] ?? '';
  const found = [...links.entries()].flatMap(([j, i]) => {
    const [own, wanted] = [letters(s[i] ?? ''), letters(t[j] ?? '')];
    const isSingle = i >= 0 && links.filter((other) => other === i).length === 1;
    return isSingle && own.length > 3 && wanted.length > 3 && !hasTerm(translation, wanted)
      ? [{ source: own, target: wanted }]
      : [];
  });
  const [term] = found.sort((a, b) => b.target.length - a.target.length);
  const start = term ? source.indexOf(term.source) : -1;
  return term && start >= 0 ? { ...term, start, end: start + term.source.length } : undefined;
}

/** Measures a model that reads marks of terms, and `base`, of which it was fine-tuned; prints the figures. */
export async function measureSoftTerms(
  model: Model,
  base: Model | undefined,
  files: { readonly pairs: string; readonly lexicon: string },
  count: number,
): Promise<void> {
  const aligner = alignerOf(readPairs(files.lexicon));
  const pairs = readPairs(files.pairs).slice(0, count);
  const sources = pairs.map(({ source }) => source);
  const plain = await model.translate(sources, options);
  const before = base && (await base.translate(sources, options));
  const terms = pairs.map((pair, i) => termOf(pair, plain[i] ?? '', aligner));
  const bound = [...terms.keys()].filter((i) => terms[i] !== undefined);
  const free = [...terms.keys()].filter((i) => terms[i] === undefined);
  const marked = sources.map((text, i) =>
    withTermMarks(
      text,
      terms.slice(i, i + 1).filter((term) => term !== undefined),
    ),
  );
  const phrases = terms.map((term) => (term ? [term.target] : []));
  const generate = async (texts: readonly string[], more: object = {}) =>
    (await model.generate(texts, { ...options, ...more })).map(([best]) => best?.text ?? '');
  const ways = {
    'no terms': plain,
    'marks in the source (soft)': await generate(marked),
    'placed by decoding (hard)': await generate(sources, { phrases }),
    both: await generate(marked, { phrases }),
  };
  const bleu = (texts: readonly string[], which: readonly number[]) =>
    corpusBleu(
      which.map((i) => texts[i] ?? ''),
      which.map((i) => pairs[i]?.target ?? ''),
    ).score.toFixed(2);
  console.log(`${bound.length} sentences with a term, ${free.length} without one\n`);
  console.log('| terms                      | placed |  share |  BLEU | unchanged without a term |');
  console.log('| -------------------------- | -----: | -----: | ----: | -----------------------: |');
  for (const [name, texts] of Object.entries(ways)) {
    const placed = bound.filter((i) => hasTerm(texts[i] ?? '', terms[i]?.target ?? '')).length;
    const same = free.filter((i) => texts[i] === plain[i]).length;
    const share = ((100 * placed) / bound.length).toFixed(1);
    console.log(
      `| ${name.padEnd(26)} | ${placed} | ${share} % | ${bleu(texts, bound)} | ${same} of ${free.length} |`,
    );
  }
  const all = [...pairs.keys()];
  console.log(`\nBLEU of all sentences without terms: ${bleu(plain, all)}`);
  if (before) console.log(`BLEU of the model before it was fine-tuned: ${bleu(before, all)}`);
}
