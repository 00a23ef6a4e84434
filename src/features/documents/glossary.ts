// A glossary: terms with the translations that they must have. A term is found in any inflected form of its words.

import { HeddleError } from '../../core/errors.ts';
import { parseCsv } from '../../text/corpus/pair-records.ts';
import { privateUse } from '../../text/placeholders.ts';
import { isEnglish, isEnglishForm } from './english-forms.ts';
import type { WantedTerm } from './segment-checks.ts';
import type { PlacedTerm } from './soft-terms.ts';

/** A term of a glossary: words of a source, and those that its translation must have. */
export interface GlossaryTerm extends WantedTerm {
  /** A remark for people. Absent if the file has none. */
  readonly note?: string;
}

/** Longest inflection that a form may have in place of that of a term. */
const maxEnding = 3;

const wordsOf = (text: string): { word: string; start: number; end: number }[] =>
  Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu), ({ 0: word, index }) => ({
    word: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));

/** Endings of forms of short words, such as "cats"; other letters make another word, such as "care" of "car". */
const shortEndings: readonly string[] = [
  's es ns n en ed ing',
  "s es ns n en ed ing 's e d er ern em ens a as o os i u ie om am em ach ami in",
].map((list) => ` ${list} `);

/** What a form may lack of a word, if it has no ending of its own: "file" of "files"; and if it has one: "hablo" of "hablar". */
const lost = /^(?:|[sn]|e[sn]|\P{Script=Latin}+|[aeiouyáéíóúàèìòùäöüâêîôû]{1,2}|[uio][sm]|on|[ao]s)$/u;
const replaced =
  /^(?:|[sn]|e[snr]|\P{Script=Latin}+|[aeiouyáéíóúàèìòùäöüâêîôû]{1,2}|[uio][sm]|on|[ao]s|[ai]r)$/u;

/** Whether a word is a form of the word of a term: the same stem, with short endings. */
export function isForm(word: string, term: string): boolean {
  if (word === term) return true;
  const shorter = Math.min(word.length, term.length);
  if (shorter < 3) return false;
  let common = 0;
  while (common < shorter && word[common] === term[common]) common++;
  const ending = word.slice(common);
  // city, cities
  if (common >= 3 && term.slice(common) === 'y' && /^ie[sd]$/.test(ending)) return true;
  const stem = term.length < 5 ? term.length : Math.max(4, term.length - 2);
  // "cat" is no form of "category"; a doubled consonant is: run, running.
  const isDoubled = ending.length > 1 && ending[0] === term.at(-1);
  const [a, b] = [ending.length - (isDoubled ? 1 : 0), term.length - common];
  if (common < Math.min(stem, term.length) || a > maxEnding || b > 2) return false;
  if (!(a === 0 ? lost : replaced).test(term.slice(common))) return false;
  const isLatin = /^\p{Script=Latin}+$/u.test(term);
  if (!isLatin || term.length > 4 || a === 0) return true;
  if (ending === 'd' && !term.endsWith('e')) return false;
  return shortEndings[term.length - 3]?.includes(` ${isDoubled ? ending.slice(1) : ending} `) ?? false;
}

/** Languages without spaces between words: a term is found anywhere in them. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Forms of a word begin with the same letters. */
const stemOf = (word: string): string => word.slice(0, 3);

/** A term with its words. */
interface IndexedTerm {
  readonly term: GlossaryTerm;
  readonly words: readonly string[];
}

/** Terms of a glossary, and a search for those in a text. Use it as the option `glossary` of `translateDocument`. */
export class Glossary {
  readonly #terms: readonly IndexedTerm[];
  readonly #language: string | undefined;
  /** Places in the list of terms, by how their first words begin; those without spaces by an empty text. */
  readonly #index = new Map<string, number[]>();

  /**
   * Longer terms come first, so that they win over those inside of them. `language`: of the sources, whose forms are those of
   * English, or of any language; default: by the words of a text.
   */
  constructor(terms: readonly GlossaryTerm[], language?: string) {
    this.#language = language;
    this.#terms = terms
      .map((term) => ({ term, words: wordsOf(term.source).map(({ word }) => word) }))
      .filter(({ words, term }) => words.length > 0 && term.target.trim() !== '')
      .sort((a, b) => b.words.length - a.words.length || b.term.source.length - a.term.source.length);
    for (const [i, { term, words }] of this.#terms.entries()) {
      const key = unspaced.test(term.source) ? '' : stemOf(words[0] ?? '');
      const list = this.#index.get(key);
      if (list) list.push(i);
      else this.#index.set(key, [i]);
    }
  }

  get size(): number {
    return this.#terms.length;
  }

  /** The terms of a text, in order, each as often as it occurs; terms inside of longer ones are left out. */
  find(text: string): PlacedTerm[] {
    const plain = text.replace(privateUse, ' ');
    const words = wordsOf(plain);
    const isFormOf = isEnglish(plain, this.#language) ? isEnglishForm : isForm;
    const taken = new Set<number>();
    const found: PlacedTerm[] = [];
    const keys = new Set(['', ...words.map(({ word }) => stemOf(word))]);
    const candidates = [...keys].flatMap((key) => this.#index.get(key) ?? []).sort((a, b) => a - b);
    for (const { term, words: wanted } of candidates.map((i) => this.#terms[i] as IndexedTerm)) {
      if (unspaced.test(term.source)) {
        found.push(...occurrences(plain, term, taken));
        continue;
      }
      for (let i = 0; i + wanted.length <= words.length; i++) {
        const span = words.slice(i, i + wanted.length);
        if (span.some(({ start }) => taken.has(start))) continue;
        if (!span.every(({ word }, k) => isFormOf(word, wanted[k] as string))) continue;
        for (const { start } of span) taken.add(start);
        found.push({ ...term, start: span[0]?.start ?? 0, end: span.at(-1)?.end ?? 0 });
      }
    }
    return found.sort((a, b) => a.start - b.start);
  }
}

function occurrences(text: string, term: GlossaryTerm, taken: Set<number>): PlacedTerm[] {
  const found: PlacedTerm[] = [];
  for (let at = text.indexOf(term.source); at >= 0; at = text.indexOf(term.source, at + term.source.length)) {
    const places = Array.from(term.source, (_, i) => at + i);
    if (places.some((place) => taken.has(place))) continue;
    for (const place of places) taken.add(place);
    found.push({ ...term, start: at, end: at + term.source.length });
  }
  return found;
}

/**
 * Reads a glossary: CSV, or TSV if the first line has a tab, with source, target and an optional note; a first line
 * `source,target` is a header. `language`: of the sources. Throws a HeddleError that starts with `name` if it has no terms.
 */
export async function readGlossary(text: string, name: string, language?: string): Promise<Glossary> {
  const plain = text.replace(/^\ufeff/, '');
  const isTsv = (plain.split('\n', 1)[0] ?? '').includes('\t');
  const rows = isTsv ? plain.split(/\r?\n/).map((line) => line.split('\t')) : await parseCsv(plain, name);
  const isHeader =
    /^source$/i.test(rows[0]?.[0]?.trim() ?? '') && /^target$/i.test(rows[0]?.[1]?.trim() ?? '');
  const terms = rows.slice(isHeader ? 1 : 0).flatMap(([source = '', target = '', note]): GlossaryTerm[] => {
    const term = { source: source.trim(), target: target.trim(), note: note?.trim() || undefined };
    return term.source !== '' && term.target !== '' ? [term] : [];
  });
  const glossary = new Glossary(terms, language);
  if (glossary.size === 0)
    throw new HeddleError('there is no term; each line is source,target', { area: name });
  return glossary;
}
