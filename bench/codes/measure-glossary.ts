// Measures a glossary whose terms are not the words that the model uses: how many translations have their terms, in how
// many the word of the model stands beside its term ("El perro can"), and BLEU.

import { readFileSync } from 'node:fs';
import { type Glossary, type GlossaryTerm, readGlossary } from '../../src/features/documents/glossary.ts';
import { anyCodes } from '../../src/features/documents/inline/code-patterns.ts';
import { inlineText } from '../../src/features/documents/inline/inline-text.ts';
import type { PlacedTerm } from '../../src/features/documents/soft-terms.ts';
import { type SentenceModel, translateSegments } from '../../src/features/documents/translate-segments.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? [];

/** Whether a word is one of some words, in the singular or the plural. */
const isOneOf = (word: string, words: readonly string[]): boolean =>
  words.some((own) => word === own || word === `${own}s` || word === `${own}es` || word === pluralOf(own));

function pluralOf(word: string): string {
  const changed = word.replace(/z$/, 'ces').replace(/ón$/, 'ones').replace(/én$/, 'enes');
  if (changed !== word) return changed;
  return word.endsWith('s') ? word : `${word}${/[aeiouáéíóú]$/.test(word) ? 's' : 'es'}`;
}

/** A term with its place in a text. */
type FoundTerm = GlossaryTerm & PlacedTerm;

/** The words that translations without the glossary have for a term: its note. */
const otherWords = ({ note = '' }: GlossaryTerm): string[] => note.split(' ').filter(Boolean);

/** A reference in which the terms of a text replace the words that it has for them; its articles stay. */
const adapted = (reference: string, terms: readonly GlossaryTerm[]): string =>
  reference.replace(/[\p{L}\p{M}]+/gu, (word) => {
    const term = terms.find((one) => isOneOf(word.toLowerCase(), otherWords(one)));
    if (!term) return word;
    const isSingular = otherWords(term).includes(word.toLowerCase());
    const form = isSingular ? term.target : pluralOf(term.target);
    return /^\p{Lu}/u.test(word) ? form[0]?.toUpperCase() + form.slice(1) : form;
  });

/** The terms of a text with the words that its reference has for them, as the author of a glossary takes them from translations. */
function termsOfReference(reference: string, terms: readonly FoundTerm[]): FoundTerm[] {
  const words = wordsOf(reference);
  return terms.flatMap((term) => {
    const known = [term.target, ...otherWords(term)];
    const own = words.filter((word) => isOneOf(word, known));
    const target = own[0];
    const needed = terms.filter(({ source }) => source === term.source).length;
    if (target === undefined || new Set(own).size > 1 || needed > own.length) return [];
    return [{ ...term, target, note: known.filter((word) => !isOneOf(target, [word])).join(' ') }];
  });
}

/** Which translations a glossary has: other words than the model, or those of the references. */
export type GlossaryWords = 'others' | 'references';

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

/** A pair of texts with the terms of its source. */
interface TermPair {
  readonly source: string;
  readonly reference: string;
  readonly terms: readonly FoundTerm[];
}

/** The first pairs of a TSV file that have a term. */
function termPairs(file: string, glossary: Glossary, kind: GlossaryWords, count: number): TermPair[] {
  const pairs = new Map<string, TermPair>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [source = '', reference] = line.split('\t');
    if (!reference || pairs.has(source)) continue;
    const found: FoundTerm[] = glossary.find(source);
    const terms = kind === 'others' ? found : termsOfReference(reference, found);
    if (terms.length > 0) pairs.set(source, { source, reference, terms });
    if (pairs.size === count) break;
  }
  return [...pairs.values()];
}

/**
 * Measures a model without and with a glossary on the first pairs of a TSV file that have a term. A source word has one
 * translation if `kind` is 'others', and if it is 'references', in each sentence the one that its reference has.
 */
export async function glossaryFigures(
  model: SentenceModel,
  file: string,
  terms: string,
  count: number,
  kind: GlossaryWords,
): Promise<GlossaryFigures[]> {
  const glossary = await readGlossary(readFileSync(terms, 'utf8'), terms);
  const pairs = termPairs(file, glossary, kind, count);
  const segments = pairs.map(({ source }) => inlineText(source, anyCodes));
  const wanted = pairs.map((pair) => pair.terms);
  const references = pairs.map(({ reference }, i) =>
    kind === 'others' ? adapted(reference, wanted[i] ?? []) : reference,
  );
  /** The terms of a sentence of a pair. */
  const termsOf = (text: string): PlacedTerm[] => {
    const own = pairs.find(({ source }) => source.includes(text))?.terms ?? [];
    return glossary.find(text).flatMap((term) => {
      const known = own.find(({ source }) => source === term.source);
      return known ? [{ ...term, target: known.target }] : [];
    });
  };
  const figures: GlossaryFigures[] = [];
  for (const [name, given] of [
    ['without the glossary', undefined],
    ['with the glossary', termsOf],
  ] as const) {
    const started = performance.now();
    const options = { beams: 8, longTexts: 'skip', termsOf: given } as const;
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
      bleu: bleu(pairs.map(({ reference }) => reference)),
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
  const kinds = ['others', 'references'] as const;
  const names = { others: 'other words', references: 'words of the references' };
  for (const kind of kinds)
    for (const row of await glossaryFigures(model, file, terms, count, kind)) {
      const share = `${row.doubled} of ${row.sentences} (${((100 * row.doubled) / row.sentences).toFixed(1)} %)`;
      console.log(
        `| ${row.name}, ${names[kind]} | ${row.placed} of ${row.terms} | ${share} | ${row.bleu.toFixed(2)} | ${row.bleuOfTerms.toFixed(2)} | ${row.seconds.toFixed(0)} s |`,
      );
    }
}
