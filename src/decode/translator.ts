// Text to text: encodes sources, decodes them in batches of similar lengths, and returns the translations in
// order.

import { check, HeddleError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { writeWeights } from '../model/model-states.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { Align, Attention } from './alignment.ts';
import type { DecodeOptions, DecodeSettings, ModelRules } from './decode-options.ts';
import { decodeSettings, modeOf, withModelRules } from './decode-options.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import { type Hypothesis, searchFor } from './hypotheses.ts';

/**
 * A model's configuration, tokenizers and decoding rules; `weights`, if given, are uploaded to the engine.
 */
export interface TextModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** The parameter buffer, in the layout of `parameterList(config)`. */
  readonly weights?: Float32Array;
  /** Defaults of the decoding options; its suppressed tokens always apply. */
  readonly decode?: ModelRules;
}

/** Options of a translator. */
export interface TranslatorOptions {
  /** Number of sentences that decode together. Default 32. */
  readonly batch?: number;
  /** Maximum number of source tokens, with the end token. Default: the model's maximum length. */
  readonly maxSource?: number;
  /** Maximum number of target tokens. Default: the model's maximum length. */
  readonly maxTarget?: number;
  /**
   * Options of a call whose plans are compiled when the translator is created. Default: a call without
   * options.
   */
  readonly firstCall?: DecodeOptions;
  /**
   * The parameters on the engine with their weight format and LoRA adapter. Default: those of the model in
   * f32.
   */
  readonly parameters?: ParameterList;
}

/** A translation of a text. */
export interface Translation extends Hypothesis {
  readonly text: string;
}

/**
 * One token of a translation while it is decoded, or the end token if it completes text that was held back.
 */
export interface StreamedToken {
  readonly id: number;
  /** Text that the token adds; concatenated, these are the translation. */
  readonly text: string;
}

/** A text to translate, or its token ids with the end token, if it is tokenized already. */
export type SourceText = string | ArrayLike<number>;

/** Translates texts. Concurrent calls are queued. */
export interface Translator {
  /** Peak memory of the largest plan in bytes; 0 on the CPU. */
  readonly peak: number;
  /**
   * The best translation of each text, in order. Throws a HeddleError if a text is too long or an option is
   * invalid, and the signal's reason if it is aborted.
   */
  translate(texts: readonly SourceText[], options?: DecodeOptions): Promise<string[]>;
  /** `numReturn` translations of each text with ids and scores, best first. Throws as `translate`. */
  generate(texts: readonly SourceText[], options?: DecodeOptions): Promise<Translation[][]>;
  /**
   * Yields the tokens of a translation while it is decoded (greedy decoding or one sample). Leaving the loop
   * stops decoding. `index` is the random stream: a sample equals that of text `index` of a list passed to
   * `translate`. Throws as `translate`.
   */
  stream(
    text: SourceText,
    options?: DecodeOptions,
    index?: number,
  ): AsyncGenerator<StreamedToken, void, void>;
  /**
   * The cross-attention between a text and the ids of its translation. `startId`: id that the decoder read
   * first, default: the start token of the model. Throws a HeddleError if text or translation is too long.
   */
  align(text: SourceText, ids: readonly number[], startId?: number): Promise<Attention<number>>;
}

/**
 * Creates a translator; resolves when its plans are compiled. Throws a HeddleError if an option is invalid.
 */
export async function createTranslator(
  engine: Engine,
  model: TextModel,
  options: TranslatorOptions = {},
): Promise<Translator> {
  const { config: c, source, target } = model;
  const {
    batch = 32,
    maxSource = c.maxLength,
    maxTarget = c.maxLength,
    parameters: p = parameterList(c),
  } = options;
  const decoders = new Map<string, Promise<Decoder>>();
  let aligner: Promise<Align> | undefined;

  const settingsOf = (call: DecodeOptions = {}) =>
    decodeSettings(withModelRules(model.decode ?? {}, call, maxTarget), c, maxTarget);
  const decoderFor = (settings: DecodeSettings, sentences: number): Promise<Decoder> => {
    const mode = modeOf(settings);
    const key = JSON.stringify([mode, settings.rows, sentences]);
    let decoder = decoders.get(key);
    if (!decoder) {
      const shape = { batch: sentences, beams: settings.rows, source: maxSource, target: maxTarget };
      decoder = createDecoder(engine, c, p, shape, mode);
      decoders.set(key, decoder);
      decoder.catch(() => decoders.delete(key));
    }
    return decoder;
  };
  const encode = (text: SourceText, i: number): number[] => {
    const ids = typeof text === 'string' ? [...source.encode(text), source.special.end] : Array.from(text);
    check(
      ids.length <= maxSource,
      () =>
        `text ${i + 1} has ${ids.length} tokens, the maximum is ${maxSource}; split it: "${String(text).slice(0, 60)}"`,
    );
    return ids;
  };

  // A mutex: decodings share the states of the engine, so only one runs at a time.
  let last: Promise<unknown> = Promise.resolve();
  const acquireLock = async (): Promise<() => void> => {
    const before = last;
    let end = () => {};
    last = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  };

  const { peak } = await decoderFor(settingsOf(options.firstCall), batch);
  if (model.weights) writeWeights(engine, c, p, model.weights);

  const translator: Translator = {
    peak,
    translate: async (texts, call) =>
      (await translator.generate(texts, call)).map(([best]) => best?.text ?? ''),
    async generate(texts, call) {
      const settings = settingsOf(call);
      const encoded = texts.map(encode);
      const order = encoded
        .map((_, i) => i)
        .sort((a, b) => (encoded[a]?.length ?? 0) - (encoded[b]?.length ?? 0));
      const out: Translation[][] = texts.map(() => []);
      const decoder = await decoderFor(settings, batch);
      const end = await acquireLock();
      try {
        for (let at = 0; at < order.length; at += batch) {
          const streams = order.slice(at, at + batch);
          const search = searchFor(settings, streams.length, c.endId);
          const sources = streams.map((i) => encoded[i] as number[]);
          for await (const _ of decoder.run({ sources, streams }, settings, search));
          for (const [k, found] of search.finish().entries())
            out[streams[k] as number] = found.map((h) => ({ ...h, text: target.decode(h.ids) }));
          settings.onProgress?.(Math.min(order.length, at + batch), order.length);
        }
      } finally {
        end();
      }
      return out;
    },
    async *stream(text, call, index = 0) {
      const settings = settingsOf(call);
      if (settings.rows > 1)
        throw new HeddleError(
          'stream: beam search and several translations cannot be streamed; use greedy decoding or one sample',
        );
      const sources = [encode(text, 0)];
      const decoder = await decoderFor(settings, 1);
      const end = await acquireLock();
      try {
        const search = searchFor(settings, 1, c.endId);
        const newText = createTextStreamer(target);
        let seen = 0;
        for await (const _ of decoder.run({ sources, streams: [index] }, settings, search)) {
          const ids = search.idsOf(0, 0);
          for (; seen < ids.length; seen++)
            yield { id: ids[seen] as number, text: newText(ids.slice(0, seen + 1)) };
        }
        const rest = newText(search.idsOf(0, 0), true);
        if (rest) yield { id: c.endId, text: rest };
      } finally {
        end();
      }
    },
    async align(text, ids, startId) {
      aligner ??= import('./alignment.ts').then(({ createAligner }) =>
        createAligner(engine, c, p, Math.max(maxSource, maxTarget)),
      );
      const align = await aligner;
      const end = await acquireLock();
      try {
        return await align(encode(text, 0), ids, startId);
      } finally {
        end();
      }
    },
  };
  return translator;
}

/**
 * Returns a function that decodes growing lists of ids and returns the new text. Text that may still change
 * is held back: an incomplete UTF-8 character, or a token that changes the text before it. `all` flushes it.
 */
function createTextStreamer(target: Tokenizer): (ids: readonly number[], all?: boolean) => string {
  let streamed = '';
  return (ids, all = false) => {
    const text = all ? target.decode(ids) : target.decode(ids).replace(/\uFFFD+$/, '');
    if (!text.startsWith(streamed)) return '';
    const added = text.slice(streamed.length);
    streamed = text;
    return added;
  };
}
