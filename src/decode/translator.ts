// Text to text: encodes sources, decodes them in batches of similar lengths, and gives the translations back in order.

import type { Engine } from '../engine.ts';
import { HeddleError } from '../errors.ts';
import type { ModelConfig } from '../model/config.ts';
import { parameterList } from '../model/parameters.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { greedyDecoder } from './greedy.ts';

/** A model's configuration and the tokenizers of its two sides. */
export interface TextModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
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
}

/** Translates texts with a model whose weights an engine holds. */
export interface Translator {
  /** Translations in the order of the texts. Throws a HeddleError where a text is too long, naming it. */
  translate(texts: readonly string[], signal?: AbortSignal): Promise<string[]>;
}

/** Makes a translator; its plans are ready when it resolves. */
export async function createTranslator(
  engine: Engine,
  model: TextModel,
  options: TranslatorOptions = {},
): Promise<Translator> {
  const { config: c, source, target } = model;
  const { batch = 32, maxSource = c.maxLength, maxTarget = c.maxLength, sourceEnd = true } = options;
  const shape = { batch, source: maxSource, target: maxTarget };
  const decoder = await greedyDecoder(engine, c, parameterList(c), shape);
  return {
    async translate(texts, signal) {
      const encoded = texts.map((text) => [...source.encode(text), ...(sourceEnd ? [source.special.end] : [])]);
      for (const [i, ids] of encoded.entries())
        if (ids.length > maxSource)
          throw new HeddleError(
            `Text ${i + 1} has ${ids.length} tokens, at most ${maxSource} fit the model; split it: ${texts[i]?.slice(0, 60)}`,
          );
      const order = encoded.map((_, i) => i).sort((a, b) => (encoded[a]?.length ?? 0) - (encoded[b]?.length ?? 0));
      const out: string[] = texts.map(() => '');
      for (let at = 0; at < order.length; at += batch) {
        signal?.throwIfAborted();
        const rows = order.slice(at, at + batch);
        const { ids } = await decoder.decode(rows.map((i) => encoded[i] as number[]));
        for (const [k, i] of rows.entries()) out[i] = target.decode(ids[k] ?? []);
      }
      return out;
    },
  };
}
