// Translates segments with codes. Every code of a source is in its translation exactly once, in a valid
// nesting, whatever the model does: decoding places those that its vocabulary has, others it may copy as
// text, and what it loses is placed by alignment.

import type { GenerateOptions, Generation, TranslateOptions } from '../../decode/text-options.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { codesIn } from './inline/code-patterns.ts';
import {
  type InlineText,
  inlineText,
  keepsCodes,
  partOf,
  placeholdersIn,
  renderText,
} from './inline/inline-text.ts';
import { placeCodes } from './inline/place-codes.ts';
import { placeholderAt, placeholderOf } from './inline/placeholders.ts';
import { fromNumbered, type NumberedText, numberedText } from './numbered-codes.ts';
import {
  alignWords,
  isInWord,
  outOfWord,
  projectPoint,
  projectSpan,
  type WordAlignment,
} from './project-codes.ts';
import { type PlacedTerm, readsTermMarks, withTermMarks } from './soft-terms.ts';
import { type SegmentParts, splitSegment } from './split-segment.ts';

/** What translates sentences: a model, or the queue of a server. */
export interface SentenceModel {
  /** Translates texts: for each its hypotheses, best first. */
  generate(
    texts: readonly string[],
    options?: TranslateOptions & Pick<GenerateOptions, 'attention' | 'phrases' | 'placeholders'>,
  ): Promise<Generation[][]>;
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer };
}

/** How a segment was translated. */
export type SegmentMethod = 'copied' | 'translated' | 'codes copied' | 'codes placed' | 'not translated';

/** A translated segment. */
export interface TranslatedSegment {
  /** The translation with the placeholders of the source. */
  readonly text: string;
  readonly method: SegmentMethod;
  /** Mean log-probability of a token; undefined if nothing was decoded. */
  readonly confidence: number | undefined;
}

/** A translated sentence: log-probability and number of its tokens. */
interface Sentence {
  readonly text: string;
  readonly method: SegmentMethod;
  readonly logProb: number;
  readonly tokens: number;
}

const hasWords = (text: string): boolean => /\p{L}/u.test(text.replace(/[\ue000-\uf8ff]/g, ''));

/** The text without element codes and pairs, whose single text codes are as in the source. */
function literalOf({ text, codes }: InlineText): string {
  const kept = withCodes(text, (c) => codes.get(c)?.kind === 'single' && codes.get(c)?.isText === true);
  return renderText(kept, codes);
}

/**
 * The text with some of its placeholders. Where one is gone, no two spaces remain, and two words that only a
 * code that stands alone separates get a space.
 */
function withCodes(text: string, keeps: (placeholder: string) => boolean): string {
  let out = '';
  let isBetween = false;
  for (const character of text) {
    const code = placeholderAt(character);
    if (code && !keeps(character)) {
      isBetween ||= code.kind === 'single';
      continue;
    }
    if (isBetween && /[\p{L}\p{N}]$/u.test(out) && /[\p{L}\p{N}]/u.test(character)) out += ' ';
    if (isBetween && /[.,;:!?)]/.test(character)) out = out.trimEnd();
    isBetween = false;
    if (/\s/.test(character) && (out === '' || /\s$/.test(out))) continue;
    out += character;
  }
  return out.trimEnd();
}

/** Offset in `withCodes(text, keeps)` of each placeholder of a text. */
function offsetsIn(text: string, keeps: (placeholder: string) => boolean): Map<string, number> {
  return new Map(
    placeholdersIn(text).map((c) => [c, withCodes(text.slice(0, text.indexOf(c)), keeps).length] as const),
  );
}

const none = (): boolean => false;

/** A translation of the source without some codes, in which these are placed by alignment. */
function placed(
  source: InlineText,
  target: string,
  alignment: WordAlignment,
  offsets: ReadonlyMap<string, number>,
  shift: (offset: number) => number = (offset) => offset,
): string {
  const codes = new Map([...source.codes].filter(([c]) => !target.includes(c)));
  const plain = withCodes(source.text, none);
  const placeOf = (code: string): number => {
    const at = aligned(code);
    const isInside = isInWord(plain, withCodes(source.text.slice(0, source.text.indexOf(code)), none).length);
    return isInside ? at : outOfWord(target, at, placeholderAt(code)?.kind === 'open');
  };
  const aligned = (code: string): number => {
    const { kind, index } = placeholderAt(code) ?? { kind: 'single', index: 0 };
    const [open, close] = [
      offsets.get(placeholderOf('open', index)),
      offsets.get(placeholderOf('close', index)),
    ];
    if (kind !== 'single' && open !== undefined && close !== undefined && close > open) {
      const { start, end } = projectSpan(alignment, open, close);
      return shift(kind === 'open' ? start : end);
    }
    return shift(projectPoint(alignment, offsets.get(code) ?? 0));
  };
  const text = [...source.text].filter((c) => !target.includes(c) || !source.codes.has(c)).join('');
  return placeCodes(text, target, codes, placeOf);
}

/** Moves the codes of a translation as little as possible so that their nesting is valid. */
function renested(source: InlineText, target: string): string {
  const own = new Set(source.codes.keys());
  const offsets = new Map<string, number>();
  let plain = '';
  for (const character of target)
    if (own.has(character)) offsets.set(character, plain.length);
    else plain += character;
  return placeCodes(source.text, plain, source.codes, (code) => offsets.get(code) ?? plain.length);
}

/** A sentence in which the model kept the single text codes; undefined if it did not. */
function copied(source: InlineText, found: Generation, tokenizer: Tokenizer): string | undefined {
  const own = inlineText(found.text, source.pattern);
  const waiting = placeholdersIn(source.text).filter((c) => {
    const code = source.codes.get(c);
    return code?.isText && code.kind === 'single';
  });
  let [text, wrong] = [own.text, false];
  text = Array.from(text, (c) => {
    const raw = own.codes.get(c)?.raw;
    if (raw === undefined) return c;
    const at = waiting.findIndex((w) => source.codes.get(w)?.raw === raw);
    const [match] = at < 0 ? [] : waiting.splice(at, 1);
    wrong ||= match === undefined;
    return match ?? '';
  }).join('');
  if (wrong || waiting.length > 0) return undefined;
  if (placeholdersIn(text).length === source.codes.size) return keepsCodes(source, text) ? text : undefined;
  const alignment = alignWords(literalOf(source), found, tokenizer);
  // The alignment knows the literal text: offsets before each code, with the other codes written out.
  const offsets = new Map(
    placeholdersIn(source.text).map((c) => {
      const before = partOf(source, source.text.slice(0, source.text.indexOf(c)));
      return [c, literalOf(before).length] as const;
    }),
  );
  const shift = (offset: number): number => literalToInline(text, source, offset);
  const result = placed(source, text, alignment, offsets, shift);
  return keepsCodes(source, result) ? result : undefined;
}

/** Offset in a text with placeholders of an offset in the same text with its codes written out. */
function literalToInline(text: string, { codes }: InlineText, offset: number): number {
  let [literal, i] = [0, 0];
  for (; i < text.length && literal < offset; i++) literal += codes.get(text[i] as string)?.raw.length ?? 1;
  return i;
}

/** A sentence translated without codes, in which all are placed. */
function projected(source: InlineText, found: Generation, tokenizer: Tokenizer): string | undefined {
  const plain = withCodes(source.text, () => false);
  const offsets = offsetsIn(source.text, () => false);
  const alignment = alignWords(plain, found, tokenizer);
  for (const clean of [withoutCodes, withoutSpecials]) {
    const target = clean(found.text, source);
    const scale = found.text.length === target.length ? 1 : target.length / Math.max(1, found.text.length);
    const result = placed(source, target, alignment, offsets, (at) => Math.round(at * scale));
    if (keepsCodes(source, result)) return result;
  }
  return undefined;
}

/** A translation without codes that the model has invented. */
const withoutCodes = (text: string, { pattern }: InlineText): string =>
  codesIn(text, pattern)
    .reduceRight((out, { start, raw }) => out.slice(0, start) + out.slice(start + raw.length), text)
    .replace(/[\ue000-\uf8ff]/g, '');

/** A translation without any character of which codes are made. */
const withoutSpecials = (text: string): string => text.replace(/[%<>{}&$#@~\ue000-\uf8ff]/g, '');

/** Options of the translation of segments. */
export interface SegmentOptions extends TranslateOptions {
  /** Terms that the translation of a sentence must have. */
  readonly termsOf?: (sentence: string) => readonly PlacedTerm[];
}

/** Translates segments, all sentences in one call. Throws as the model. */
export async function translateSegments(
  model: SentenceModel,
  segments: readonly InlineText[],
  options: SegmentOptions = {},
): Promise<TranslatedSegment[]> {
  const parts = segments.map(({ text }) => splitSegment(text));
  const sentences = parts.flatMap((part, i) =>
    part.sentences.map((text) => partOf(segments[i] as InlineText, text)),
  );
  const translated = await translateSentences(model, sentences, options);
  let at = 0;
  return parts.map((part, i) => {
    const own = translated.slice(at, at + part.sentences.length);
    at += part.sentences.length;
    return joined(segments[i] as InlineText, part, own);
  });
}

function joined(source: InlineText, part: SegmentParts, own: readonly Sentence[]): TranslatedSegment {
  let text = part.join(own.map((sentence) => sentence.text));
  let method = worstOf(own.map((sentence) => sentence.method));
  if (method !== 'not translated' && !keepsCodes(source, text)) text = renested(source, text);
  if (method === 'not translated' || !keepsCodes(source, text))
    [text, method] = [source.text, 'not translated'];
  const tokens = own.reduce((n, sentence) => n + sentence.tokens, 0);
  const logProb = own.reduce((n, sentence) => n + sentence.logProb, 0);
  return { text, method, confidence: tokens > 0 ? logProb / tokens : undefined };
}

const methods: readonly SegmentMethod[] = [
  'copied',
  'translated',
  'codes copied',
  'codes placed',
  'not translated',
];
const worstOf = (all: readonly SegmentMethod[]): SegmentMethod =>
  methods[Math.max(0, ...all.map((method) => methods.indexOf(method)))] as SegmentMethod;

/** How sentences are translated by the model, one way after the other. */
interface Pass {
  readonly method: SegmentMethod;
  /** What the model gets; undefined: the sentence is left to the next pass. */
  request(source: InlineText): { readonly text: string; readonly ordered?: string } | undefined;
  readonly attention: boolean;
  /** The translation with the placeholders of the sentence; undefined if it does not keep them. */
  use(source: InlineText, found: Generation): string | undefined;
}

/**
 * Sentences without codes are translated as they are. Codes are first placeholders, if the vocabulary has
 * them; then text, which the model may copy; then they are left out and placed by alignment.
 */
function passesOf({ tokenizers }: SentenceModel): Pass[] {
  const { source } = tokenizers;
  const numbered = new Map<InlineText, NumberedText | undefined>();
  const numberedOf = (s: InlineText) => {
    if (!numbered.has(s)) numbered.set(s, numberedText(s, tokenizers));
    return numbered.get(s);
  };
  const hasCodes = ({ codes }: InlineText) => codes.size > 0;
  return [
    {
      method: 'translated',
      request: (s) => (hasCodes(s) ? undefined : { text: oneLine(s.text) }),
      attention: false,
      use: (s, { text }) =>
        [text, withoutCodes(text, s), withoutSpecials(text)].find((some) => keepsCodes(s, some)),
    },
    {
      method: 'codes copied',
      request(s) {
        const own = hasCodes(s) ? numberedOf(s) : undefined;
        return own && { text: oneLine(own.text), ordered: own.ordered };
      },
      attention: false,
      use(s, { text }) {
        const own = numberedOf(s);
        return own && fromNumbered(s, own, text);
      },
    },
    {
      method: 'codes copied',
      request: (s) => (hasCodes(s) ? { text: oneLine(literalOf(s)) } : undefined),
      attention: true,
      use: (s, found) => copied(s, found, source),
    },
    {
      method: 'codes placed',
      request: (s) => (hasCodes(s) ? { text: oneLine(withCodes(s.text, () => false)) } : undefined),
      attention: true,
      use: (s, found) => projected(s, found, source),
    },
  ];
}

/** Translates sentences, each in the first pass that keeps its codes. Equal texts are decoded once. */
async function translateSentences(
  model: SentenceModel,
  sentences: readonly InlineText[],
  { termsOf, ...options }: SegmentOptions,
): Promise<Sentence[]> {
  const out = sentences.map(
    ({ text }): Sentence => ({
      text,
      method: hasWords(text) ? 'not translated' : 'copied',
      logProb: 0,
      tokens: 0,
    }),
  );
  for (const { method, request, attention, use } of passesOf(model)) {
    const wanted = sentences.flatMap((sentence, i) => {
      const asked = out[i]?.method === 'not translated' ? request(sentence) : undefined;
      return asked ? [{ sentence, i, ...asked, key: `${asked.text}\0${asked.ordered}` }] : [];
    });
    if (wanted.length === 0) continue;
    const unique = [...new Map(wanted.map((one) => [one.key, one])).values()];
    const places = new Map(unique.map(({ key }, at) => [key, at]));
    const texts = unique.map(({ text }) => text);
    const terms = termsOf && texts.map(termsOf);
    const phrases = terms?.map((list) => list.map(({ target }) => target));
    // Marks would disturb the alignment.
    const marks = terms && !attention && readsTermMarks(model.tokenizers.source);
    const asked = marks ? texts.map((text, i) => withTermMarks(text, terms[i] ?? [])) : texts;
    const orders = unique.map(({ ordered }) => ordered);
    const placeholders = orders.some((order) => order !== undefined) ? orders : undefined;
    const generations = await model.generate(asked, { ...options, attention, phrases, placeholders });
    for (const { sentence, i, key } of wanted) {
      const [made] = generations[places.get(key) as number] ?? [];
      if (!made) continue;
      // A line break of the model would end a cue or a paragraph.
      const found = { ...made, text: made.text.replace(/[\n\r\u2028\u2029]/g, ' ') };
      const text = use(sentence, found);
      if (text === undefined || text === '') continue;
      out[i] = { text, method, logProb: found.logProb, tokens: found.ids.length + 1 };
    }
  }
  return out;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
