// The texts of sources that are frames, decoded greedily in batches: for evaluations during training.

import { batchPrompts } from '../../../decode/batch-prompts.ts';
import { type DecodeSettings, decodeSettings, modeOf } from '../../../decode/decode-options.ts';
import { Decoder, decoderGraphs } from '../../../decode/decoder.ts';
import { searchFor } from '../../../decode/open-search.ts';
import type { TextModel } from '../../../decode/translator.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import type { VectorRow } from '../../../text/batches/encoded-corpus.ts';
import { wholeRow } from '../batches/frame-rows.ts';
import { speechFactsOf } from './speech-facts.ts';
import { speechTokenRules } from './speech-prompts.ts';
import { speechRules } from './speech-rules.ts';
import { textIds } from './speech-text.ts';

/** Sizes of the batches. */
export interface FrameTextShape {
  readonly batch: number;
  /** Maximum number of frames of a source. */
  readonly maxSource: number;
  /** Maximum number of tokens of a text, those of the prompt included. */
  readonly maxTarget: number;
}

/** Decodes frames [F, width] to texts, with the weights on the engine. One call at a time. */
export class FrameTexts {
  readonly #engine: Engine;
  readonly #model: TextModel;
  readonly #parameters: ParameterList;
  readonly #shape: FrameTextShape;
  readonly #prompt: readonly number[];
  readonly #upload: ((peak: number) => Promise<void>) | undefined;
  #decoder: Promise<Decoder> | undefined;

  /**
   * `prompt`: tokens that each text starts from, the start token included; `upload` writes the weights after the plan,
   * if the engine does not have them.
   */
  constructor(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    shape: FrameTextShape,
    prompt: readonly number[],
    upload?: (peak: number) => Promise<void>,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#parameters = parameters;
    this.#shape = shape;
    this.#prompt = prompt;
    this.#upload = upload;
  }

  /**
   * The text of each source, frames of `width` numbers, in order, of at most `limit` tokens. Throws the signal's
   * reason if it is aborted.
   */
  async decode(
    sources: readonly VectorRow[],
    width: number,
    signal?: AbortSignal,
    limit?: number,
  ): Promise<string[]> {
    const { config: c, target } = this.#model;
    const speech = speechFactsOf(this.#model);
    const { batch } = this.#shape;
    const settings = settingsOf(this.#model, this.#shape, this.#prompt, limit, signal);
    this.#decoder ??= Decoder.open(this.#engine, c, this.#parameters, sizesOf(this.#shape), modeOf(settings));
    const decoder = await this.#decoder;
    await this.#upload?.(decoder.peak);
    const texts: string[] = [];
    for (let at = 0; at < sources.length; at += batch) {
      const some = sources.slice(at, at + batch).map((row) => wholeRow(row, width));
      const search = await searchFor(settings, some, c.endId);
      const prompt = batchPrompts(some.map(() => this.#prompt));
      for await (const _ of decoder.run(
        { sources: some, streams: [...some.keys()], prompt },
        settings,
        search,
      ));
      for (const [best] of search.finish())
        texts.push(target.decode(textIds(best?.ids ?? [], speech ?? {})).trim());
    }
    return texts;
  }
}

/** The graphs of a decoder of frames; the options are those of `FrameTexts`. */
export const frameTextGraphs = (
  model: TextModel,
  parameters: ParameterList,
  shape: FrameTextShape,
  prompt: readonly number[],
): readonly Graph[] =>
  decoderGraphs(model.config, parameters, sizesOf(shape), modeOf(settingsOf(model, shape, prompt))).graphs;

const sizesOf = ({ batch, maxSource, maxTarget }: FrameTextShape) => ({
  batch,
  beams: 1,
  source: maxSource,
  target: maxTarget,
});

/** Settings of greedy decoding after a prompt, of at most `limit` tokens. */
function settingsOf(
  model: TextModel,
  { maxTarget }: FrameTextShape,
  prompt: readonly number[],
  limit = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): DecodeSettings {
  const { config: c } = model;
  const speech = speechFactsOf(model);
  const maxNewTokens = Math.min(limit, Math.max(1, maxTarget - prompt.length));
  const rules = speech && speechTokenRules(speech, c, prompt.length, false);
  return {
    ...decodeSettings({ maxNewTokens, signal }, c, maxTarget),
    tokenRules: rules && speechRules(rules),
  };
}
