// Translates segments with codes. Every code of a source is in its translation exactly once, in a valid
// nesting, whatever the model does: decoding places those that its vocabulary has, others it may copy as
// text, and what it loses is placed by alignment.

import type {
  GenerateOptions,
  Generation,
  PlacedPhrase,
  TranslateOptions,
} from '../../decode/text-options.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import {
  copied,
  literalOf,
  projected,
  renested,
  validOf,
  withoutCodes,
  withoutSpecials,
} from './aligned-codes.ts';
import { partsOfMany } from './cut-segment.ts';
import { keepsGroups, plainText } from './inline/code-groups.ts';
import { keepsInnerCodes, keepsNeighbours } from './inline/code-spacing.ts';
import { type InlineText, keepsCodes, partOf, placeholdersIn } from './inline/inline-text.ts';
import { fromNumbered, type NumberedText, numberedText } from './numbered-codes.ts';
import { type PlacedTerm, readsTermMarks, withTermMarks } from './soft-terms.ts';
import { halvesOf, type SegmentParts, splitAtCodes, splitSegment } from './split-segment.ts';

/** What translates sentences: a model, or the queue of a server. */
export interface SentenceModel {
  /** Translates texts: for each its hypotheses, best first. */
  generate(
    texts: readonly string[],
    options?: TranslateOptions & Pick<GenerateOptions, 'attention' | 'phrases' | 'placeholders'>,
  ): Promise<Generation[][]>;
  /** Its tokenizers, which tell the characters and codes that it can read and write. */
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

/** Whether a model has something to translate: words that are no part of codes. */
const hasWords = (source: InlineText): boolean => /\p{L}/u.test(plainText(source).text);

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
  const cut = segments.map(
    (source) => partsOfMany(source.text)?.map((text) => partOf(source, text)) ?? [source],
  );
  const made = await translateParts(model, cut.flat(), options);
  let at = 0;
  return cut.map((parts) => {
    const own = made.slice(at, at + parts.length);
    at += parts.length;
    return own.length === 1 ? (own[0] as TranslatedSegment) : ofParts(own);
  });
}

/** A segment of its parts. Its confidence is the lowest of them. */
function ofParts(parts: readonly TranslatedSegment[]): TranslatedSegment {
  const known = parts.flatMap(({ confidence }) => confidence ?? []);
  const isOpen = parts.every(({ method }) => method === 'not translated' || method === 'copied');
  const worst = worstOf(parts.map(({ method }) => method));
  return {
    text: parts.map(({ text }) => text).join(''),
    method: worst === 'not translated' && !isOpen ? 'codes placed' : worst,
    confidence: known.length > 0 ? Math.min(...known) : undefined,
  };
}

/** Translates segments with few codes each. */
async function translateParts(
  model: SentenceModel,
  segments: readonly InlineText[],
  options: SegmentOptions,
): Promise<TranslatedSegment[]> {
  const parts = segments.map((segment) => splitSegment(segment.text, lineBreaks(segment).join('')));
  const sentences = parts.flatMap((part, i) =>
    part.sentences.map((text) => partOf(segments[i] as InlineText, text)),
  );
  const translated = await translateSentences(model, sentences, options);
  let at = 0;
  const whole = parts.map((part, i) => {
    const own = translated.slice(at, at + part.sentences.length);
    at += part.sentences.length;
    return joined(segments[i] as InlineText, part, own);
  });
  return withPieces(model, segments, whole, options);
}

/**
 * Translations of segments. Those whose codes have other neighbours than in the source are translated again, the text
 * between two codes on its own: what touches a code stays as it is.
 */
async function withPieces(
  model: SentenceModel,
  segments: readonly InlineText[],
  whole: readonly TranslatedSegment[],
  options: SegmentOptions,
): Promise<TranslatedSegment[]> {
  const wrong = segments.flatMap((source, i) => {
    const { text, method } = whole[i] as TranslatedSegment;
    const isDone = method === 'copied' || method === 'not translated' || keepsNeighbours(source, text);
    return isDone ? [] : [{ source, i, split: splitAtCodes(source.text) }];
  });
  if (wrong.length === 0) return [...whole];
  const pieces = wrong.flatMap(({ source, split }) => split.sentences.map((text) => partOf(source, text)));
  const made = await translateParts(model, pieces, options);
  const out = [...whole];
  let at = 0;
  for (const { i, split } of wrong) {
    const own = made.slice(at, at + split.sentences.length);
    at += split.sentences.length;
    const { confidence } = whole[i] as TranslatedSegment;
    out[i] = { text: split.join(own.map(({ text }) => text)), method: 'codes placed', confidence };
  }
  return out;
}

/** A segment of its sentences. It has words of the source only where the model has no translation of them. */
function joined(source: InlineText, part: SegmentParts, own: readonly Sentence[]): TranslatedSegment {
  const made = part.join(own.map((sentence) => sentence.text));
  const method = worstOf(own.map((sentence) => sentence.method));
  const text = method === 'copied' ? made : validOf(source, [made, renested(source, made)]);
  const tokens = own.reduce((n, sentence) => n + sentence.tokens, 0);
  const logProb = own.reduce((n, sentence) => n + sentence.logProb, 0);
  return {
    text: text === undefined ? source.text : withEdges(source.text, closeBreaks(source, text)),
    method: text === undefined ? 'not translated' : method,
    confidence: tokens > 0 ? logProb / tokens : undefined,
  };
}

/** The codes that break lines in HTML. */
const lineBreaks = ({ text, codes }: InlineText): string[] =>
  placeholdersIn(text).filter((c) => /^<br\s*\/?>$/i.test(codes.get(c)?.raw ?? ''));

/** A translation without spaces beside line breaks that have none in the source. Two single codes stay apart. */
const closeBreaks = (source: InlineText, translation: string): string =>
  lineBreaks(source).reduce((text, c) => {
    const [left, right] = source.text.split(c).map((side) => side.replace(/[\ue800-\uf7ff]/g, '')) as [
      string,
      string,
    ];
    // If the source has a mark beside the break, a space beside a letter stays.
    const besides = (isLetter: boolean) =>
      isLetter ? '[^\\s\ue000-\ue7ff]' : '[^\\s\\p{L}\\p{M}\\p{N}\ue000-\uf7ff]';
    const before = new RegExp(`(?<=${besides(/[\p{L}\p{M}]$/u.test(left))}) +(?=${c})`, 'u');
    const after = new RegExp(`(?<=${c}) +(?=${besides(/^[\p{L}\p{M}]/u.test(right))})`, 'u');
    const closed = /\s$/.test(left) ? text : text.replace(before, '');
    return /^\s/.test(right) ? closed : closed.replace(after, '');
  }, translation);

/** A translation with the white space at the ends of its source. */
export const withEdges = (source: string, text: string): string =>
  text.trim() === '' ? text : `${/^\s*/.exec(source)?.[0]}${text.trim()}${/\s*$/.exec(source)?.[0]}`;

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

/** A translation that keeps what touches the codes of its source; else undefined: its codes are placed. */
const withGroups = (source: InlineText, text: string | undefined): string | undefined =>
  text !== undefined && keepsGroups(source, text) && keepsInnerCodes(source.text, text) ? text : undefined;

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
        return own && withGroups(s, fromNumbered(s, own, text));
      },
    },
    {
      method: 'codes copied',
      request: (s) => (hasCodes(s) ? { text: oneLine(literalOf(s)) } : undefined),
      attention: true,
      use: (s, found) => withGroups(s, copied(s, found, source)),
    },
    {
      method: 'codes placed',
      request: (s) => (hasCodes(s) ? { text: oneLine(plainText(s).text) } : undefined),
      attention: true,
      use: (s, found) => projected(s, found, source),
    },
  ];
}

/** The search for another translation if the best one has no words: a model may end a short text at once. */
const wordSearch = { method: 'beam', beams: 4, numReturn: 4 } as const;

/**
 * Translates sentences, each in the first pass that keeps its codes. Equal texts are decoded once. Of several
 * translations the first that has words counts.
 */
async function translateSentences(
  model: SentenceModel,
  sentences: readonly InlineText[],
  { termsOf, ...options }: SegmentOptions,
): Promise<Sentence[]> {
  const out = sentences.map(
    (source): Sentence => ({
      text: source.text,
      method: hasWords(source) ? 'not translated' : 'copied',
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
    // Marks would disturb the alignment. A model that reads them chooses the place of a term.
    const marks = terms && !attention && readsTermMarks(model.tokenizers.source);
    const phrases = terms?.map((list, i) =>
      list.map((term) => (marks ? term.target : placedPhrase(term, texts[i] as string))),
    );
    const asked = marks ? texts.map((text, i) => withTermMarks(text, terms[i] ?? [])) : texts;
    const orders = unique.map(({ ordered }) => ordered);
    const placeholders = orders.some((order) => order !== undefined) ? orders : undefined;
    const generations = await model.generate(asked, { ...options, attention, phrases, placeholders });
    for (const { sentence, i, key } of wanted) {
      for (const made of generations[places.get(key) as number] ?? []) {
        // A line break of the model would end a cue or a paragraph.
        const found = { ...made, text: made.text.replace(/[\n\r\u2028\u2029]/g, ' ') };
        const text = use(sentence, found);
        // What has neither words nor numbers is no translation of words.
        if (text === undefined || !/[\p{L}\p{N}]/u.test(text.replace(/[\ue000-\uf7ff]/g, ''))) continue;
        out[i] = { text, method, logProb: found.logProb, tokens: found.ids.length + 1 };
        break;
      }
    }
  }
  await translateHalves(model, sentences, out, { termsOf, ...options });
  await searchWords(model, sentences, out, { termsOf, ...options });
  return out;
}

/** Translates what is still open by `wordSearch`. */
async function searchWords(
  model: SentenceModel,
  sentences: readonly InlineText[],
  out: Sentence[],
  options: SegmentOptions,
): Promise<void> {
  const isSearch = options.method === 'sample' || options.numReturn !== undefined;
  const open = isSearch ? [] : [...out.keys()].filter((i) => out[i]?.method === 'not translated');
  if (open.length === 0) return;
  const texts = open.map((i) => sentences[i] as InlineText);
  const made = await translateSentences(model, texts, { ...options, ...wordSearch });
  for (const [n, i] of open.entries()) out[i] = made[n] as Sentence;
}

/** Translates what the model did not translate, such as a sentence that is too long, in two parts each. */
async function translateHalves(
  model: SentenceModel,
  sentences: readonly InlineText[],
  out: Sentence[],
  options: SegmentOptions,
): Promise<void> {
  const open = sentences.flatMap((source, i) => {
    const parts = out[i]?.method === 'not translated' ? halvesOf(source.text) : undefined;
    return parts ? [{ source, i, parts }] : [];
  });
  if (open.length === 0) return;
  const halves = open.flatMap(({ source, parts }) => parts.sentences.map((text) => partOf(source, text)));
  const made = await translateSentences(model, halves, options);
  for (const [n, { source, i, parts }] of open.entries()) {
    const own = made.slice(2 * n, 2 * n + 2);
    const text = parts.join(own.map((half) => half.text));
    const valid = validOf(source, [text, renested(source, text)]);
    const isOpen = own.every(({ method }) => method === 'not translated' || method === 'copied');
    if (valid === undefined || isOpen) continue;
    const [tokens, logProb] = [
      own.reduce((sum, half) => sum + half.tokens, 0),
      own.reduce((sum, half) => sum + half.logProb, 0),
    ];
    const method = worstOf(own.map((half) => half.method));
    out[i] = { text: valid, method: method === 'not translated' ? 'codes placed' : method, logProb, tokens };
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The phrase of a term: if the text has another form of its source, as the plural, the translation may have one, too. */
function placedPhrase({ source, target, start, end }: PlacedTerm, text: string): PlacedPhrase {
  const phrase = { text: target, start, end };
  return text.slice(start, end).toLowerCase() === source.toLowerCase()
    ? phrase
    : { ...phrase, inflects: true };
}
