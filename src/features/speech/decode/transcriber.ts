// Decodes one window of speech from a prompt under the rules of the model, and again at higher temperatures if the text
// repeats itself or is improbable (Radford et al., 2022, "Robust Speech Recognition via Large-Scale Weak Supervision",
// section 4.5). transcription.ts goes from window to window.

import { check, HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { batchPrompts } from '../../../decode/batch-prompts.ts';
import {
  type DecodeOptions,
  type DecodeSettings,
  decodeSettings,
  modeOf,
} from '../../../decode/decode-options.ts';
import { Decoder } from '../../../decode/decoder.ts';
import type { Hypothesis } from '../../../decode/hypotheses.ts';
import { searchFor } from '../../../decode/open-search.ts';
import type { TextModel } from '../../../decode/translator.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import { hopSamples } from '../audio/log-mel.ts';
import { speechOf } from './frame-facts.ts';
import { SpeechAligner } from './speech-attention.ts';
import type { SpeechFacts } from './speech-facts.ts';
import { needsDetection, promptOf, type SpeechTask, speechTokenRules } from './speech-prompts.ts';
import { speechRules, type TokenRestrictions } from './speech-rules.ts';
import { compressionRatio, textIds } from './speech-text.ts';
import type { SpeechAttention, TranscribeOptions } from './transcribe-options.ts';

/** What was decoded from a window. */
export interface Decoded {
  readonly ids: readonly number[];
  /** The tokens that decoding started from. */
  readonly prompt: readonly number[];
  readonly temperature: number;
  readonly avgLogProb: number;
  readonly compressionRatio: number;
  readonly noSpeechProb: number;
}

const defaultTemperatures = [0, 0.2, 0.4, 0.6, 0.8, 1] as const;

/** Decodes windows of speech on an engine with the weights of the model. */
export class Transcriber {
  readonly #engine: Engine;
  readonly #model: TextModel;
  readonly #speech: SpeechFacts;
  readonly #parameters: ParameterList;
  readonly #upload: (peak: number) => Promise<void>;
  #aligner: SpeechAligner | undefined;
  readonly #decoders = new Map<string, Promise<Decoder>>();

  /** `upload` writes the weights after the first plan. Throws a HeddleError if the model does not read speech. */
  constructor(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    upload: (peak: number) => Promise<void>,
  ) {
    const speech = speechOf(model);
    if (!speech)
      throw new HeddleError('the model does not read speech; use a Whisper model', { area: 'transcribe' });
    this.#engine = engine;
    this.#model = model;
    this.#speech = speech;
    this.#parameters = parameters;
    this.#upload = upload;
  }

  /** Reports the text of a window that is not complete yet, decoded greedily. */
  async decodePartly(frames: Float32Array, options: TranscribeOptions): Promise<void> {
    const detected = needsDetection(this.#speech, options) ? await this.detect(frames, options) : undefined;
    const { language, task, signal, onPartial } = options;
    const wanted = { language, task, detected, timestamps: false };
    await this.decode(frames, wanted, { temperature: 0, signal, onPartial });
  }

  /** The cross-attention of a window with its tokens. */
  async attend(
    frames: Float32Array,
    window: { prompt: readonly number[]; ids: readonly number[]; offset: number; duration: number },
  ): Promise<SpeechAttention> {
    this.#aligner ??= new SpeechAligner(this.#engine, this.#model, this.#parameters, this.#upload);
    return this.#aligner.align(frames, window);
  }

  /** The most probable language of a window. */
  async detect(frames: Float32Array, { signal }: TranscribeOptions): Promise<number | undefined> {
    const only = [...this.#speech.languages.values()];
    if (only.length === 0) return undefined;
    const rules = { prompt: 1, banned: [], bannedFirst: [], only };
    const { best } = await this.#run(
      frames,
      [this.#model.config.startId],
      { maxNewTokens: 1, signal },
      rules,
    );
    return best.ids[0];
  }

  /** Decodes a window at one temperature after the other, until the text is good. */
  async decode(frames: Float32Array, task: SpeechTask, options: TranscribeOptions): Promise<Decoded> {
    const [speech, c] = [this.#speech, this.#model.config];
    const { temperature = defaultTemperatures, beams = 1, seed = 0, signal } = options;
    const { maxCompressionRatio = 2.4, minLogProb = -1, noSpeechThreshold = 0.6 } = options;
    const temperatures = [temperature].flat();
    check(temperatures.length > 0, 'temperature is empty; leave it out', { area: 'transcribe' });
    const prompt = promptOf(speech, c, task);
    const rules = speechTokenRules(speech, c, prompt.length, task.timestamps);
    const maxTokens = Math.min(speech.maxTokens, c.maxLength);
    const maxNewTokens = maxTokens - prompt.length;
    check(
      maxNewTokens > 0,
      msg`the prompt has ${prompt.length} tokens, and the model allows ${maxTokens} with those of the text; shorten it`,
      { area: 'transcribe' },
    );
    let decoded: Decoded | undefined;
    for (const t of temperatures) {
      const how: DecodeOptions =
        t > 0 ? { method: 'sample', temperature: t, seed } : { beams, lengthPenalty: { power: 1 } };
      const start = prompt.indexOf(c.startId);
      const run = await this.#run(
        frames,
        prompt,
        { ...how, maxNewTokens, signal },
        rules,
        start,
        options.onPartial,
      );
      const { ids, logProb } = run.best;
      const text = this.#model.target.decode(textIds(ids, speech)).trim();
      decoded = {
        ids,
        prompt,
        temperature: t,
        noSpeechProb: run.noSpeech,
        avgLogProb: logProb / (ids.length + 1),
        compressionRatio: await compressionRatio(text),
      };
      const poor = decoded.compressionRatio > maxCompressionRatio || decoded.avgLogProb < minLogProb;
      // Improbable text where there is no speech is dropped, not tried again.
      if (!poor || (decoded.noSpeechProb > noSpeechThreshold && decoded.avgLogProb < minLogProb)) break;
    }
    return decoded as Decoded;
  }

  /** Decodes a window from a prompt; `noSpeech`: probability of no speech after the token at `start`. */
  async #run(
    frames: Float32Array,
    prompt: readonly number[],
    options: DecodeOptions,
    rules: TokenRestrictions,
    start = -1,
    onPartial?: (text: string) => void,
  ): Promise<{ readonly best: Hypothesis; readonly noSpeech: number }> {
    const { config: c, target } = this.#model;
    const settings: DecodeSettings = {
      ...decodeSettings(options, c, c.maxLength),
      tokenRules: speechRules(rules),
    };
    const decoder = await this.#decoder(settings);
    const sources = [frames];
    const search = await searchFor(settings, sources, c.endId);
    let noSpeech = 0;
    const batch = {
      sources,
      streams: [0],
      prompt: batchPrompts([prompt], (position, { watched }) => {
        if (position === start) noSpeech = watched?.[0] ?? 0;
      }),
    };
    for await (const _ of decoder.run(batch, settings, search))
      if (onPartial && settings.method === 'greedy')
        onPartial(target.decode(textIds(search.idsOf(0, 0), this.#speech)));
    return { best: search.finish()[0]?.[0] as Hypothesis, noSpeech };
  }

  /** The decoder of a method, whose weights are written. */
  async #decoder(settings: DecodeSettings): Promise<Decoder> {
    const { config: c } = this.#model;
    const mode = modeOf(settings);
    const { rows, cacheType } = settings;
    const key = `${mode.method} ${rows} ${cacheType}`;
    const shape = {
      batch: 1,
      beams: rows,
      target: c.maxLength,
      cacheType,
      source: Math.floor(this.#speech.windowSamples / hopSamples),
    };
    const opened = this.#decoders.get(key) ?? Decoder.open(this.#engine, c, this.#parameters, shape, mode);
    this.#decoders.set(key, opened);
    opened.catch(() => this.#decoders.delete(key));
    const decoder = await opened;
    await this.#upload(decoder.peak);
    return decoder;
  }
}
