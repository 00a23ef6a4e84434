// heddle translate: translates texts with a saved model.

import { checkedMaxLength, describeLong } from '../api/generate-texts.ts';
import { openFolder } from '../api/load-model.ts';
import type { Attention, GenerateOptions, Generation, Model } from '../api/model-types.ts';
import { check } from '../core/errors.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job } from '../runtime/job.ts';
import { toSingleLine } from '../text/corpus/pairs.ts';
import { splitSentences } from '../text/sentences.ts';

/** What to translate; plain JSON. */
export interface TranslateArguments {
  readonly folder: string;
  /** Default: those of the context's input, whose translations are emitted as they come, as `TranslatedTexts`. */
  readonly texts?: readonly string[];
  /** Maximum number of sentences that decode together. */
  readonly batch: number;
  /** Maximum number of tokens of a translation, with its end token; 0: the model's maximum length. */
  readonly maxTokens: number;
  /** Maximum number of tokens of a text, with its end token; at most the model's maximum length, which is the default. */
  readonly maxLength?: number;
  /**
   * What to do with longer texts. [`error`: reject if they are in `texts`; else a warning for each, and no translation]
   */
  readonly longTexts?: GenerateOptions['longTexts'];
  /** Whether to replace unknown words by the source words that they attend to most. */
  readonly replaceUnknown?: boolean;
  /** Whether to translate each sentence of a text by itself. */
  readonly splitSentences?: boolean;
  /** Words that are never generated; each must be one token. */
  readonly badWords?: readonly string[];
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly adapter?: string;
  /** Folders of further models with the same vocabulary, whose probabilities are averaged with those of the model. */
  readonly ensemble?: readonly string[];
  /** Storage of the weights on the engine; default f32. */
  readonly weights?: WeightFormat;
  /** Languages of a multilingual model; default: those of the model. */
  readonly languages?: LanguageOptions;
  /** How to decode; default: greedy decoding. */
  readonly decode?: Omit<GenerateOptions, 'maxNewTokens' | 'onProgress' | 'onPiece' | 'signal'>;
  /**
   * Whether to emit the best translations in pieces while they are decoded, one text after the other, each on its own
   * line.
   */
  readonly stream?: boolean;
  /** Whether to return the cross-attention of the best translation of each text. */
  readonly align?: boolean;
}

/** A translation; plain JSON. */
export interface Translated extends Omit<Generation, 'attention'> {
  readonly attention?: NestedAttention;
}

/** The cross-attention of a text and its translation; see `Attention`. */
export interface NestedAttention extends Pick<Attention, 'source' | 'target'> {
  /** Probabilities [layers][heads][T][S]. */
  readonly weights: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Consecutive translations that a job emits; plain JSON. */
export interface TranslatedTexts {
  /** Number of the first text, from 0. */
  readonly first: number;
  /** Translations of each text, best first; an empty text, or one that is too long, has none. */
  readonly found: readonly Translated[][];
  /** Number of texts that are too long, which is an error. */
  readonly failed: number;
}

/**
 * The translations of each text, best first; an empty text has none. Throws a HeddleError, before it decodes, for a
 * text that is too long or an option that is wrong, and the signal's reason if it is aborted.
 */
export const translate: Job<TranslateArguments, Translated[][]> = async (args, context) => {
  const { folder, texts, batch, maxTokens, adapter, weights, decode, stream = false, align = false } = args;
  const {
    maxLength,
    longTexts = 'error',
    replaceUnknown = false,
    badWords = [],
    splitSentences: splits = false,
  } = args;
  const { emit, signal } = context;
  const model = await openFolder(folder, context, {
    ...(adapter && { lora: adapter }),
    ...(weights && { weights }),
    ...(args.ensemble && { ensemble: args.ensemble }),
    ...args.languages,
  });
  const suppressTokens = [...(decode?.suppressTokens ?? []), ...badWords.flatMap((word) => tokensOf(model, word))];
  let [first, line] = [0, 0];
  const begin = performance.now();
  const sayUpTo = (text: number) => {
    for (; line < text; line++) emit({ type: 'piece', text: '\n' });
  };
  const generate = async (some: readonly string[], long: GenerateOptions['longTexts']) => {
    const found = await model.generate(some, {
      ...decode,
      ...(suppressTokens.length > 0 && { suppressTokens }),
      ...(maxLength !== undefined && { maxLength }),
      longTexts: long,
      replaceUnknown,
      splitSentences: splits,
      batchSize: batch,
      ...(maxTokens > 0 && { maxNewTokens: Math.min(maxTokens, model.config.maxLength) }),
      attention: align,
      signal,
      onProgress(done, of) {
        // Translations that come soon are progress enough.
        if (!texts && performance.now() - begin < 5000) return;
        emit({ type: 'progress', task: 'translate', done: first + done, of: texts ? of : 0, text: 'sentences' });
      },
      ...(stream && {
        onPiece(piece, text) {
          sayUpTo(first + text);
          emit({ type: 'piece', text: toSingleLine(piece.text) });
        },
      }),
    });
    if (stream) sayUpTo(first + some.length);
    return found.map((all) =>
      all.map(({ attention, ...translation }) => ({
        ...translation,
        ...(attention && { attention: nested(attention) }),
      })),
    );
  };
  try {
    if (texts) return await generate(texts, longTexts);
    const { input } = context;
    check(input, 'translate: there are no texts');
    const limit = checkedMaxLength(maxLength ?? model.config.maxLength, model.config);
    const aborted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
    const next = () => Promise.race([input(), aborted]);
    for (let some = await next(); some && !signal.aborted; some = await next()) {
      let failed = 0;
      for (const [i, text] of longTexts === 'crop' ? [] : some.entries()) {
        const parts = splits ? splitSentences(text).sentences : [text];
        const tokens = Math.max(0, ...parts.map((part) => model.tokenizers.source.encode(part).length)) + 1;
        if (tokens <= limit) continue;
        if (longTexts === 'error') failed++;
        const hint = longTexts === 'error' ? ', or use --max-length-crop or --skip-long' : '';
        const message = `${describeLong(first + i + 1, tokens, limit)}${hint}; it is not translated`;
        emit({ type: 'warning', text: message });
      }
      const found = await generate(some, longTexts === 'error' ? 'skip' : longTexts);
      emit({ type: 'result', value: { first, found, failed } satisfies TranslatedTexts });
      first += some.length;
    }
    return [];
  } finally {
    model.dispose();
  }
};

/** The ids of a word: of each token that is its text. Throws a HeddleError if it is not one token. */
export function tokensOf({ tokenizers: { target } }: Model, word: string): number[] {
  const ids = Array.from({ length: target.size }, (_, id) => id).filter((id) => target.decode([id]).trim() === word);
  const count = target.encode(word).length;
  check(
    ids.length > 0,
    () =>
      `bad word "${word}" is ${count === 1 ? 'not in the vocabulary' : `${count} tokens`}; ` +
      'only a word of one token can be excluded',
  );
  return ids;
}

function nested({ source, target, layers, heads, weights }: Attention): NestedAttention {
  const [S, T] = [source.length, target.length];
  const parts = <X>(n: number, part: (i: number) => X): X[] => Array.from({ length: n }, (_, i) => part(i));
  const row = (at: number) => parts(S, (s) => Number((weights[at * S + s] as number).toPrecision(6)));
  return {
    source,
    target,
    weights: parts(layers, (n) => parts(heads, (h) => parts(T, (t) => row((n * heads + h) * T + t)))),
  };
}
