// Measures a glossary whose terms are not the words that the model uses: how many translations have their terms, in how
// many the word of the model stands beside its term ("El perro can"), and BLEU.

import { readFileSync } from 'node:fs';
import { type GlossaryTerm, readGlossary } from '../../src/features/documents/glossary.ts';
import { anyCodes } from '../../src/features/documents/inline/code-patterns.ts';
import { inlineText } from '../../src/features/documents/inline/inline-text.ts';
import { type SentenceModel, translateSegments } from '../../src/features/documents/translate-segments.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? [];

/** Whether a word is one of some words, in the singular or the plural. */
const isOneOf = (word: string, words: readonly string[]): boolean =>
  words.some((own) => word === own || word === `${own}s` || word === `${own}es` || word === pluralOf(own));

const pluralOf = (word: string): string =>
  word.replace(/z$/, 'ces').replace(/ón$/, 'ones').replace(/én$/, 'enes');

/** The words that translations without the glossary have for a term: its note. */
const otherWords = ({ note = '' }: GlossaryTerm): string[] => note.split(' ').filter(Boolean);

/** A reference in which the terms of a text replace the words that it has for them. */
const adapted = (reference: string, terms: readonly GlossaryTerm[]): string =>
  reference.replace(/[\p{L}\p{M}]+/gu, (word) => {
    const term = terms.find((one) => isOneOf(word.toLowerCase(), otherWords(one)));
    if (!term) return word;
    return /^\p{Lu}/u.test(word) ? term.target[0]?.toUpperCase() + term.target.slice(1) : term.target;
  });

/** How a glossary is followed. */
export interface GlossaryFigures {
  readonly name: string;
  readonly sentences: number;
  /** Occurrences of terms in the sources, and those that have their translation. */
  readonly terms: number;
  readonly placed: number;
  /** Sentences that have a term and another word for it. */
  readonly doubled: number;
  /** BLEU to the references, and to references with the terms in place of their other words. */
  readonly bleu: number;
  readonly bleuOfTerms: number;
  readonly seconds: number;
}

/** Whether a translation has more words for a term than its source needs, and one of them is the term. */
function isDoubled(words: readonly string[], term: GlossaryTerm, needed: number): boolean {
  const has = words.filter((word) => isOneOf(word, [term.target])).length;
  const others = words.filter((word) => isOneOf(word, otherWords(term))).length;
  return has > 0 && others + has > needed;
}

/** Measures a model without and with a glossary on the first pairs of a TSV file that have a term. */
export async function glossaryFigures(
  model: SentenceModel,
  file: string,
  terms: string,
  count: number,
): Promise<GlossaryFigures[]> {
  const glossary = await readGlossary(readFileSync(terms, 'utf8'), terms);
  const seen = new Set<string>();
  const pairs = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split('\t') as [string, string])
    .filter(([source = '', target]) => {
      if (!target || seen.has(source) || glossary.find(source).length === 0) return false;
      seen.add(source);
      return true;
    })
    .slice(0, count);
  const segments = pairs.map(([source]) => inlineText(source, anyCodes));
  const wanted = pairs.map(([source]) => glossary.find(source) as GlossaryTerm[]);
  const references = pairs.map(([, target], i) => adapted(target, wanted[i] ?? []));
  const figures: GlossaryFigures[] = [];
  for (const [name, termsOf] of [
    ['without the glossary', undefined],
    ['with the glossary', (text: string) => glossary.find(text)],
  ] as const) {
    const started = performance.now();
    const options = { beams: 8, longTexts: 'skip', termsOf } as const;
    const made = (await translateSegments(model, segments, options)).map(({ text }) => text);
    const seconds = (performance.now() - started) / 1000;
    let [placed, doubled] = [0, 0];
    for (const [i, text] of made.entries()) {
      const words = wordsOf(text);
      const own = wanted[i] ?? [];
      const needs = [...new Set(own.map(({ source }) => source))].map((source) => {
        const same = own.filter((term) => term.source === source);
        return { term: same[0] as GlossaryTerm, needed: same.length };
      });
      for (const { term, needed } of needs)
        placed += Math.min(needed, words.filter((word) => isOneOf(word, [term.target])).length);
      if (needs.some(({ term, needed }) => isDoubled(words, term, needed))) doubled++;
    }
    const bleu = (texts: readonly string[]) => corpusBleu(made, texts).score;
    figures.push({
      name,
      sentences: pairs.length,
      terms: wanted.flat().length,
      placed,
      doubled,
      bleu: bleu(pairs.map(([, target]) => target)),
      bleuOfTerms: bleu(references),
      seconds,
    });
  }
  return figures;
}

/** Prints the figures of a model with a glossary. */
export async function measureGlossary(
  model: SentenceModel,
  file: string,
  terms: string,
  count: number,
): Promise<void> {
  console.log('| translations | terms placed | doubled | BLEU | BLEU, references with the terms | time |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const row of await glossaryFigures(model, file, terms, count)) {
    const share = `${row.doubled} of ${row.sentences} (${((100 * row.doubled) / row.sentences).toFixed(1)} %)`;
    console.log(
      `| ${row.name} | ${row.placed} of ${row.terms} | ${share} | ${row.bleu.toFixed(2)} | ${row.bleuOfTerms.toFixed(2)} | ${row.seconds.toFixed(0)} s |`,
    );
  }
}
