// Translates a sentence, with the attention between its words and the words that the model is not sure of.

import { doubtsOf, wordRanges, wordsOfTokens, wordWeights } from '../../../src/decode/word-weights.ts';
import type { Generation, Model } from '../../../src/entries/heddle.ts';
import type { SentDecoding, TranslatedSentence } from '../translate-protocol.ts';
import type { KnownWords } from './known-words.ts';
import {
  copyPlaceholders,
  hasWords,
  isEmoji,
  keepsCopies,
  type PreparedText,
  prepareText,
  restoreText,
} from './prepared-text.ts';

/** Translates sentences with a model and its known words. */
export class SentenceTranslator {
  readonly #model: Model;
  readonly #words: KnownWords;
  /** Whether the vocabulary has the placeholders of copies. */
  readonly #copies: boolean;

  constructor(model: Model, words: KnownWords) {
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
    const target = found ? restoreText(prepared, found.text) : source;
    const attention = found?.attention ?? noAttention;
    const weights = wordWeights(attention, prepared.text, found?.text ?? '');
    const doubts = found && found.text !== '' ? doubtsOf(found) : [];
    return {
      source,
      target,
      space,
      sourceWords: wordsOf(source),
      targetWords: wordsOf(target),
      weights,
      doubts,
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

  async #generate(
    source: string,
    options: SentDecoding,
    signal?: AbortSignal,
  ): Promise<{ prepared: PreparedText; found: Generation | undefined }> {
    const given = { ...options, attention: true, longTexts: 'crop', signal } as const;
    const prepared = prepareText(source, this.#words, this.#copies);
    if (!hasWords(prepared.text)) return { prepared, found: undefined };
    const [found] = await this.#model.generate(prepared.text, given);
    if (keepsCopies(prepared, found?.text ?? '')) return { prepared, found };
    const plain = prepareText(source, this.#words, false);
    const [again] = await this.#model.generate(plain.text, given);
    return { prepared: plain, found: again };
  }
}

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
  [...copies].reduce((text, [placeholder, copied]) => text.replace(placeholder, copied), token);
