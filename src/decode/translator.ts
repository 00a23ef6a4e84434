// Text to text: encodes sources, decodes them in batches of similar lengths, and gives the translations back in order.

import { check, HeddleError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { writeWeights } from '../engine/model-states.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { quantizedParameters, type WeightFormat, weightBytes } from '../model/quantized-parameters.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import { type Aligner, type Alignment, createAligner } from './alignment.ts';
import {
  type DecodeOptions,
  type DecodeSettings,
  decodeSettings,
  type ModelRules,
  modeOf,
  withModelRules,
} from './decode-options.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import type { DecodeMode } from './decoding-graphs.ts';
import { createBeamSearch, createRowSearch, type Hypothesis } from './hypotheses.ts';

/** A model's configuration and the tokenizers of its two sides; with `weights` they are put on the engine. */
export interface TextModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** The bank of all weights, laid out as `parameterList(config)` says. */
  readonly weights?: Float32Array;
  /** In force where nothing else is asked for; what it bans is always banned. */
  readonly decode?: ModelRules;
}

/** Settings of a translator. */
export interface TranslatorOptions {
  /** Sentences that decode together; default 32. */
  readonly batch?: number;
  /** Most tokens of a source, its end included, and of a target; default: the model's maximum length. */
  readonly maxSource?: number;
  readonly maxTarget?: number;
  /** Whether sources end with the end token; default true. */
  readonly sourceEnd?: boolean;
  /** How to decode where a call does not say; the plans for it are ready when the translator is. */
  readonly decode?: DecodeOptions;
  /**
   * How matrices and tables of tokens are kept on the engine, instead of as f32, which the default is: as f16, or as int8 with a scale a
   * row. It needs the model's `weights`. Norms, biases and tables of positions stay f32.
   */
  readonly weights?: WeightFormat;
  /** Whether the engine has the weights in that format, or gets them before the first call. */
  readonly weightsLoaded?: boolean;
}

/** One translation of a text. */
export interface Translation extends Hypothesis {
  readonly text: string;
}

/** One token of a translation that is being made, or its end where text had to wait for it. */
export interface StreamedToken {
  readonly id: number;
  /** What the token adds to the text; the pieces of a text together are its translation. */
  readonly text: string;
}

/** Translates texts with a model whose weights an engine holds. Calls wait for one another. */
export interface Translator {
  /** Bytes that the weights take on the engine, and the largest plan in all; 0 where there are no plans. */
  readonly bytes: { readonly weights: number; readonly peak: number };
  /**
   * The best translation of each text, in the order of the texts. Throws a HeddleError where a text is too long or an option is
   * wrong, naming it, and the reason of the signal where it is aborted.
   */
  translate(texts: readonly string[], options?: DecodeOptions): Promise<string[]>;
  /** The `numReturn` best translations of each text, the best first. Throws as `translate`. */
  generate(texts: readonly string[], options?: DecodeOptions): Promise<Translation[][]>;
  /**
   * The tokens of the translation of a text as they come; greedy decoding and sampling only. Ending the loop ends the decoding. A sample
   * is that of the text at `place`, from 0, in a list given to `translate`. Throws as `translate`.
   */
  stream(text: string, options?: DecodeOptions, place?: number): AsyncGenerator<StreamedToken, void, void>;
  /** The probabilities of the cross-attention between a text and the ids of a translation of it. Throws where one is too long. */
  align(text: string, ids: readonly number[]): Promise<Alignment>;
}

/** Makes a translator; its plans are ready when it resolves. */
export async function createTranslator(
  engine: Engine,
  model: TextModel,
  options: TranslatorOptions = {},
): Promise<Translator> {
  const { config: c, source, target } = model;
  const { batch = 32, maxSource = c.maxLength, maxTarget = c.maxLength, sourceEnd = true } = options;
  const { weights: format = 'f32' } = options;
  check(
    format === 'f32' || model.weights || options.weightsLoaded,
    `translator: weights as ${format} are made from the model's; give model.weights`,
  );
  const p = quantizedParameters(parameterList(c), format);
  const decoders = new Map<string, Promise<Decoder>>();
  let aligner: Promise<Aligner> | undefined;

  const settingsOf = (call: DecodeOptions = {}) =>
    decodeSettings(withModelRules(model.decode ?? {}, { ...options.decode, ...call }, maxTarget), c, maxTarget);
  const decoderFor = (settings: DecodeSettings, sentences: number): Promise<Decoder> => {
    const mode: DecodeMode = modeOf(settings);
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
  const encode = (text: string, i: number): number[] => {
    const ids = [...source.encode(text), ...(sourceEnd ? [source.special.end] : [])];
    check(
      ids.length <= maxSource,
      () =>
        `Text ${i + 1} has ${ids.length} tokens, at most ${maxSource} fit the model; split it: ${text.slice(0, 60)}`,
    );
    return ids;
  };
  const searchFor = (settings: DecodeSettings, sentences: number) =>
    settings.method === 'beam' ? createBeamSearch(sentences, settings) : createRowSearch(sentences, c.endId, settings);

  // One decoding at a time has the engine's states.
  let last: Promise<unknown> = Promise.resolve();
  const turn = async (): Promise<() => void> => {
    const before = last;
    let end = () => {};
    last = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  };

  const { peak } = await decoderFor(settingsOf(), batch);
  if (model.weights) writeWeights(engine, c, p, model.weights);

  const translator: Translator = {
    bytes: { weights: weightBytes(p), peak },
    async translate(texts, call) {
      return (await translator.generate(texts, call)).map(([best]) => best?.text ?? '');
    },
    async generate(texts, call) {
      const settings = settingsOf(call);
      const encoded = texts.map(encode);
      const order = encoded.map((_, i) => i).sort((a, b) => (encoded[a]?.length ?? 0) - (encoded[b]?.length ?? 0));
      const out: Translation[][] = texts.map(() => []);
      const decoder = await decoderFor(settings, batch);
      const end = await turn();
      try {
        for (let at = 0; at < order.length; at += batch) {
          const streams = order.slice(at, at + batch);
          const search = searchFor(settings, streams.length);
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
    async *stream(text, call, place = 0) {
      const settings = settingsOf(call);
      if (settings.rows > 1)
        throw new HeddleError(
          'stream: several translations, or the beams of one, are known at the end only; use one sample, or greedy',
        );
      const sources = [encode(text, 0)];
      const decoder = await decoderFor(settings, 1);
      const end = await turn();
      try {
        const search = searchFor(settings, 1);
        const say = createTextStreamer(target);
        let seen = 0;
        for await (const _ of decoder.run({ sources, streams: [place] }, settings, search)) {
          const ids = search.idsOf(0, 0);
          for (; seen < ids.length; seen++) yield { id: ids[seen] as number, text: say(ids.slice(0, seen + 1)) };
        }
        const rest = say(search.idsOf(0, 0), true);
        if (rest) yield { id: c.endId, text: rest };
      } finally {
        end();
      }
    },
    async align(text, ids) {
      aligner ??= createAligner(engine, c, p, Math.max(maxSource, maxTarget));
      const { align } = await aligner;
      const end = await turn();
      try {
        return await align(encode(text, 0), ids);
      } finally {
        end();
      }
    },
  };
  return translator;
}

/**
 * A function that gives what the last of some ids adds to the text of those before it. What may still change waits: half of a
 * character, or a token that changes what stands before it; `all` gives it as it is.
 */
function createTextStreamer(target: Tokenizer): (ids: readonly number[], all?: boolean) => string {
  let said = '';
  return (ids, all = false) => {
    const text = all ? target.decode(ids) : target.decode(ids).replace(/\uFFFD+$/, '');
    if (!text.startsWith(said)) return '';
    const piece = text.slice(said.length);
    said = text;
    return piece;
  };
}
