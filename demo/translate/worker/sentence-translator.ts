// Translates a sentence, with the attention between its words and the words that the model is not sure of.

import {
  type Doubt,
  type DoubtLimits,
  doubtsOf,
  wordRanges,
  wordsOfTokens,
  wordWeights,
} from '../../../src/decode/word-weights.ts';
import type { Generation, Model } from '../../../src/entries/heddle.ts';
import type { SentDecoding, TranslatedSentence } from '../translate-protocol.ts';
import type { KnownWords } from './known-words.ts';
import {
  copyPlaceholders,
  hasWords,
  isEmoji,
  isFragment,
  lostCopies,
  type PreparedText,
  type PrepareOptions,
  prepareText,
  restoreText,
} from './prepared-text.ts';

/** The search that is tried if greedy decoding doubts, or loses a placeholder. */
const moreBeams = { method: 'beam', beams: 4 } as const;

/** Translates sentences with a model and its known words. */
export class SentenceTranslator {
  readonly #model: Model;
  readonly #words: KnownWords;
  /** When a word of this model is doubtful; undefined: the usual limits. */
  readonly #limits: DoubtLimits | undefined;
  /** Whether the vocabulary has the placeholders of copies. */
  readonly #copies: boolean;

  constructor(model: Model, words: KnownWords, limits?: DoubtLimits) {
    this.#limits = limits;
    this.#model = model;
    this.#words = words;
    this.#copies = Object.values(copyPlaceholders)
      .flat()
      .every((each) => hasToken(model.tokenizers.source, each));
  }

  /** Translates a sentence; `space` follows it in its text. Rejects if the signal is aborted. */
  async translate(
    source: string,
    space: string,
    options: SentDecoding,
    signal?: AbortSignal,
  ): Promise<TranslatedSentence> {
    const { prepared, found } = await this.#generate(source, options, signal);
    const target = restoreText(prepared, found?.text ?? prepared.text);
    const attention = found?.attention ?? noAttention;
    const columns = spread(prepared, prepared.text, 'source');
    const rows = spread(prepared, found?.text ?? '', 'target');
    const weights = wordWeights(attention, prepared.text, found?.text ?? '');
    return {
      source,
      target,
      space,
      sourceWords: wordsOf(source),
      targetWords: wordsOf(target),
      weights: rows.map((t) => columns.map((s) => weights[t]?.[s] ?? 0)),
      doubts: this.#doubts(found).flatMap(({ word, probability }) =>
        rows.flatMap((t, i) => (t === word ? [{ word: i, probability }] : [])),
      ),
      attention: {
        ...attention,
        source: attention.source.map((each) => shown(each, prepared)),
        target: attention.target.map((each) => shown(each, prepared)),
      },
    };
  }

  /** The word that a translation would have in place of a doubtful one; undefined if the model has no other. */
  async secondChoice(source: string, target: string, word: number): Promise<string | undefined> {
    const { prepared, found } = await this.#generate(source, { method: 'greedy' });
    if (!found || restoreText(prepared, found.text) !== target) return undefined;
    const { next, target: read } = await this.#model.inspect(prepared.text, {
      target: found.text,
      likely: 2,
    });
    const tokens = read.slice(1); // the first is the start token
    const words = wordsOfTokens(
      tokens.map(({ label }) => label),
      found.text,
    );
    const own = words.flatMap((each, t) => (each === word ? [t] : []));
    const at = own.reduce(
      (best, t) => ((next[t]?.[0]?.probability ?? 1) < (next[best]?.[0]?.probability ?? 1) ? t : best),
      own[0] ?? -1,
    );
    const other = next[at]?.find(({ id }) => id !== tokens[at]?.id);
    if (!other) return undefined;
    const ids = [...tokens.slice(0, at).map(({ id }) => id), other.id];
    const prefix = this.#model.tokenizers.target.decode(ids);
    const [again] = await this.#model.generate(prepared.text, { method: 'greedy', prefix });
    const changed = restoreText(prepared, again?.text ?? '').split(/\s+/)[word];
    return changed === target.split(/\s+/)[word] ? undefined : changed;
  }

  /**
   * Translates a sentence as it is; if the model doubts, tries beam search, the text as a whole sentence, and the names that
   * it doubts as copies, and takes what has the fewest doubts.
   */
  async #generate(source: string, options: SentDecoding, signal?: AbortSignal): Promise<Translated> {
    const first = await this.#translate(source, { withCopies: this.#copies }, options, signal);
    let best = first;
    const plain: PrepareOptions = { withCopies: this.#copies };
    const tried: (readonly [PrepareOptions, SentDecoding])[] = [];
    if (options.method === 'greedy') tried.push([plain, moreBeams]);
    if (isFragment(source)) tried.push([{ ...plain, asSentence: true }, options]);
    const names = this.#copies ? this.#doubtedNames(first) : new Set<string>();
    if (names.size > 0) tried.push([{ ...plain, names }, options]);
    for (const [prepare, decoding] of tried) {
      if (this.#doubts(best.found).length === 0) break;
      const other = await this.#translate(source, prepare, decoding, signal);
      if (this.#isSurer(other, best)) best = other;
    }
    return best;
  }

  /** Translates a sentence; if the model loses a placeholder, with beam search, and then without those that it loses. */
  async #translate(
    source: string,
    given: PrepareOptions,
    options: SentDecoding,
    signal?: AbortSignal,
  ): Promise<Translated> {
    const without = new Set<string>();
    const generate = async (prepare: PrepareOptions, decoding: SentDecoding): Promise<Translated> => {
      const prepared = prepareText(source, this.#words, prepare);
      if (!hasWords(prepared.text)) return { prepared, found: undefined };
      const all = { ...decoding, attention: true, longTexts: 'crop', signal } as const;
      const [found] = await this.#model.generate(prepared.text, all);
      return { prepared, found };
    };
    for (const decoding of [options, moreBeams, options]) {
      const translated = await generate({ ...given, without }, decoding);
      const { prepared, found } = translated;
      const lost = lostCopies(prepared, found?.text ?? '');
      if (lost.size === 0 || !found) return translated;
      if (decoding !== options) for (const each of lost) without.add(each);
    }
    return generate({ ...given, withCopies: false }, options);
  }

  #doubts(found: Generation | undefined): Doubt[] {
    return found && found.text !== '' ? doubtsOf(found, this.#limits) : [];
  }

  /** Whether a translation has fewer doubts than another, or as many and a higher probability. */
  #isSurer({ found: one }: Translated, { found: other }: Translated): boolean {
    const fewer = this.#doubts(other).length - this.#doubts(one).length;
    return fewer > 0 || (fewer === 0 && (one?.logProb ?? 0) > (other?.logProb ?? 0));
  }

  /** Known names of a sentence at which a doubtful word of the translation looks most. */
  #doubtedNames({ prepared, found }: Translated): ReadonlySet<string> {
    const names = new Set<string>();
    if (!found?.attention) return names;
    const read = prepared.text.split(/\s+/).filter(Boolean);
    const weights = wordWeights(found.attention, prepared.text, found.text);
    for (const { word } of this.#doubts(found)) {
      const row = weights[word] ?? [];
      const [name] = read[row.indexOf(Math.max(...row))]?.match(/\p{Lu}\p{L}+/u) ?? [];
      if (name !== undefined && this.#words.hasName(name) && !isTranslated.test(name)) names.add(name);
    }
    return names;
  }
}

/** A prepared sentence and what the model made of it; undefined: nothing to translate. */
interface Translated {
  readonly prepared: PreparedText;
  readonly found: Generation | undefined;
}

/** Days, months, feasts, and names of languages and peoples: Spanish has a word of its own for each. */
const isTranslated =
  /day$|(?:an|ish|ese|ch|ek)s?$|^(?:January|February|March|April|May|June|July|August|\w+ber|Christmas|Easter)$/;

/** For each word of the text with copies, the index of its word in the text with placeholders. */
const spread = ({ copies }: PreparedText, text: string, side: 'source' | 'target'): number[] =>
  text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((word, i) => {
      const copied = [...copies].reduce((all, [each, copy]) => all.replace(each, copy[side]), word);
      return copied.split(' ').map(() => i);
    });

/** The words of a text that the model reads or writes. */
const wordsOf = (text: string) =>
  wordRanges(text).filter(({ start, end }) => !isEmoji(text.slice(start, end)));

const noAttention = { source: [], target: [], layers: 1, heads: 1, weights: new Float32Array() };

/** Whether a vocabulary has a token for a placeholder. */
function hasToken(tokenizer: Model['tokenizers']['source'], placeholder: string): boolean {
  const found = tokenizer.encode(placeholder).map((id) => tokenizer.decode([id]).trim());
  return found.includes(placeholder);
}

/** A token as the page shows it: a placeholder as what it stands for. */
const shown = (token: string, { copies }: PreparedText): string =>
  [...copies].reduce((text, [placeholder, { source }]) => text.replace(placeholder, source), token);
