// Golden cases of Whisper: model folders with WAV files, a batch of features and the results of a float64
// reference, from the samples to text ids.

import { readCaseFiles } from '../../../commands/jobs/verify/case-files.ts';
import { type GoldenCase, goldenOptimizer } from '../../../commands/jobs/verify/golden-case.ts';
import {
  type CacheType,
  checkGolden,
  limits,
  type Row,
  scoreLimit,
} from '../../../commands/jobs/verify/golden-checks.ts';
import type { GoldenReader } from '../../../commands/jobs/verify/golden-reader.ts';
import { check, HeddleError } from '../../../core/errors.ts';
import { present } from '../../../core/present.ts';
import { relativeError } from '../../../core/relative-error.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { batchPrompts } from '../../../decode/batch-prompts.ts';
import type { DecodeOptions } from '../../../decode/decode-options.ts';
import { decodeSettings, modeOf } from '../../../decode/decode-options.ts';
import { Decoder } from '../../../decode/decoder.ts';
import type { Hypothesis } from '../../../decode/hypotheses.ts';
import { searchFor } from '../../../decode/open-search.ts';
import type { Engine, Program } from '../../../engine/engine.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { baseName, type Files } from '../../../files/files.ts';
import { readJson } from '../../../files/json-files.ts';
import { openTransformer } from '../../../model/open-transformer.ts';
import { parameterList, tensorsFromWeights } from '../../../model/parameters.ts';
import { Scope } from '../../../model/scope.ts';
import { encode } from '../../../model/transformer.ts';
import { weightsFromTensors } from '../../../model/weights-from-tensors.ts';
import { LogMel } from '../audio/log-mel.ts';
import { readSpeechFile } from '../audio/speech-samples.ts';
import { type SpeechFacts, speechFactsOf } from '../decode/speech-facts.ts';
import { promptOf, type SpeechTask, speechTokenRules } from '../decode/speech-prompts.ts';
import { speechRules } from '../decode/speech-rules.ts';
import { frames } from '../frame-source.ts';
import { loadWhisper } from '../whisper-format.ts';

/** A golden case of Whisper. */
interface WhisperCase {
  readonly golden: GoldenCase;
  readonly speech: SpeechFacts;
  /** Samples of each row at 16 kHz. */
  readonly clips: readonly Float32Array[];
  /** Tokens that decoding starts from, of each row. */
  readonly prompts: readonly (readonly number[])[];
  /** Language that each row asks for; null: the model's. */
  readonly languages: readonly (string | null)[] | null;
  readonly previous: string;
  readonly encodeText: (text: string) => readonly number[];
  readonly maxLength: number;
  readonly beam?: DecodeOptions;
}

/** Maximum |x - ref| of features, and their mean. */
const featureLimits = { worst: 1e-3, mean: 1e-5 };

/** Golden cases of Whisper. */
export const whisperCases: GoldenReader = {
  read: async (files, folder) => (await readWhisper(files, folder)).golden,
  check: async (files, folder, newEngine, cacheType) =>
    checkWhisper(await readWhisper(files, folder), newEngine, cacheType),
};

async function checkWhisper(
  one: WhisperCase,
  newEngine: () => Promise<Engine>,
  cacheType: CacheType = 'f32',
): Promise<Row[]> {
  const isWhole = cacheType !== 'f16';
  const rows: Row[] = isWhole ? checkFeatures(one) : [];
  if (isWhole) rows.push(...(await checkGolden(one.golden, newEngine)));
  for (const check of isWhole ? [checkEncoder, checkDecoding] : [checkDecoding]) {
    const engine = await newEngine();
    try {
      rows.push(...(await check(one, engine, cacheType)));
    } finally {
      engine.destroy();
    }
  }
  return rows;
}

/** [B, mels, T] as frames [B, T, mels]. */
function framesOf({ shape: [B = 0, C = 0, T = 0], data }: Tensor): Tensor {
  const frames = new Float32Array(data.length);
  for (let b = 0; b < B; b++)
    for (let c = 0; c < C; c++)
      for (let t = 0; t < T; t++) frames[(b * T + t) * C + c] = data[(b * C + c) * T + t] as number;
  return { dtype: 'f32', shape: [B, T, C], data: frames };
}

/** Reads a golden case of Whisper. Throws a HeddleError that names the file and the problem. */
async function readWhisper(files: Files, folder: string): Promise<WhisperCase> {
  const raw = await readJson(files, `${folder}/config.json`);
  const { at, batch, expected, metadata, ids, number, beam } = await readCaseFiles(files, folder);
  const features = batch.input_features;
  check(
    features?.dtype === 'f32' && features.shape.length === 3,
    'input_features must be numbers with three axes',
    { area: at('batch.safetensors') },
  );
  const source = framesOf(features);
  const [B = 0, T = 0] = source.shape;
  const model = await loadWhisper(files, folder, raw, { frames: async () => frames });
  const { config } = model;
  const speech = speechFactsOf(model);
  if (!speech) throw new HeddleError('not a speech model', { area: at('config.json') });
  const prompt = ids('prompt_ids');
  const [, P = 0] = prompt.shape;
  const clips: Float32Array[] = [];
  for (let b = 0; b < B; b++) {
    const path = at(b === 0 ? 'audio.wav' : `audio-${b}.wav`);
    clips.push(readSpeechFile(await files.read(path), path, { maybeSilent: true }));
  }
  const maxLength = number('max_length', speech.maxTokens);
  return {
    speech,
    clips,
    maxLength,
    prompts: Array.from({ length: B }, (_, b) => Array.from(prompt.data.subarray(b * P, (b + 1) * P))),
    languages: JSON.parse(metadata.languages ?? 'null'),
    previous: metadata.previous_text ?? '',
    encodeText: (text) => model.target.encode(text),
    beam,
    golden: {
      name: baseName(folder),
      config,
      sourceKind: frames,
      optimizer: goldenOptimizer(number, { beta2: 0.999, eps: 1e-8, clipNorm: 0, decayAll: false }),
      decodeLength: 0, // its decoding has prompts
      weights: tensorsFromWeights(parameterList(config, frames), model.weights),
      source,
      targetIn: ids('decoder_input_ids'),
      targetOut: ids('labels'),
      expected,
      hf: {
        prefix: model.sourceCheckpoint?.prefix ?? '',
        sourceLengths: new Uint32Array(B).fill(frames.positions(config, T)),
        ignore: -100,
        decode: {},
      },
    },
  };
}

/** The features of the clips against those of the batch, and those of the first against expected.safetensors. */
function checkFeatures({ golden, clips, speech }: WhisperCase): Row[] {
  const [, T = 0, mels = 0] = golden.source.shape;
  const extractor = new LogMel(mels);
  let [worst, total, count] = [0, 0, 0];
  const compare = (got: ArrayLike<number>, want: ArrayLike<number>) => {
    for (let i = 0; i < want.length; i++) {
      const difference = Math.abs((got[i] ?? Number.NaN) - (want[i] as number));
      worst = difference >= 0 ? Math.max(worst, difference) : Number.POSITIVE_INFINITY;
      total += difference;
      count++;
    }
  };
  // Clips that are not padded to the window are padded or cut to the length of the first.
  const isWhole = T === Math.floor(speech.windowSamples / 160);
  const length = isWhole ? speech.windowSamples : Math.min(clips[0]?.length ?? 0, speech.windowSamples);
  for (const [b, clip] of clips.entries()) {
    const samples = new Float32Array(length);
    samples.set(clip.subarray(0, length));
    const got = extractor.features(samples);
    compare(got, golden.source.data.subarray(b * T * mels, (b + 1) * T * mels));
    const expected = b === 0 ? golden.expected.input_features : undefined;
    if (expected) compare(got, framesOf(expected).data);
  }
  return [
    ['features', worst, featureLimits.worst],
    ['features, mean', total / Math.max(1, count), featureLimits.mean],
  ];
}

/** What the first encoder layer reads, and the states of the encoder. */
async function checkEncoder({ golden }: WhisperCase, engine: Engine): Promise<Row[]> {
  const { config: c } = golden;
  const p = parameterList(c, frames);
  const [B = 0, T = 0] = golden.source.shape;
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const source = frames.input(graph, c, B, T);
  graph.output('stem', frames.embed(new Scope(m), source));
  graph.output('states', encode(m, frames, source));
  const [program] = (await engine.prepare([graph])) as [Program];
  engine.write('weights', weightsFromTensors(p, golden.weights));
  program.inputs.frames?.set(golden.source.data);
  program.inputs.srcLens?.fill(frames.positions(c, T));
  const { stem = [], states = [] } = await program.run();
  const errorOf = (got: ArrayLike<number>, name: string) =>
    relativeError(got, golden.expected[name]?.data ?? new Float32Array());
  return [
    ['encoder_stem', errorOf(stem, 'encoder_stem'), limits.logits],
    ['encoder_last_hidden_state', errorOf(states, 'encoder_last_hidden_state'), limits.logits],
  ];
}

/** Number of ids that differ; rows of `want` are padded with the end token. */
function differences(
  golden: GoldenCase,
  rows: readonly (readonly number[])[],
  want: ArrayLike<number>,
): number {
  const { endId } = golden.config;
  const width = want.length / rows.length;
  let different = 0;
  for (const [b, row] of rows.entries())
    for (let t = 0; t < Math.max(width, row.length); t++)
      if ((row[t] ?? endId) !== (t < width ? (want[b * width + t] as number) : endId)) different++;
  return different;
}

/** The languages, prompts, greedy and beam search of a case. */
async function checkDecoding(one: WhisperCase, engine: Engine, cacheType: CacheType): Promise<Row[]> {
  const { golden, speech, prompts, beam } = one;
  const { config: c, expected } = golden;
  const [B = 0] = golden.source.shape;
  const rows: Row[] = [];
  const detected = await detectLanguages(one, engine);
  if (expected.language)
    rows.push([
      'language',
      differences(
        golden,
        detected.map((id) => [id]),
        expected.language.data,
      ),
      0,
    ]);
  const own = Array.from({ length: B }, (_, b) => {
    const task: SpeechTask = {
      language: one.languages?.[b] ?? undefined,
      detected: detected[b],
      otherTask: null,
      timestamps: speech.timestamps,
      previous: one.previous ? one.encodeText(` ${one.previous.trim()}`) : undefined,
    };
    return promptOf(speech, c, task);
  });
  rows.push(['prompt', differences(golden, own, prompts.flat()), 0]);
  const greedy = await decodeCase(one, engine, { cacheType });
  if (expected.greedy)
    rows.push([
      'greedy',
      differences(
        golden,
        greedy.map(({ ids }) => ids),
        expected.greedy.data,
      ),
      0,
    ]);
  if (!beam || !expected.beam) return rows;
  const best = await decodeCase(one, engine, { ...beam, cacheType });
  const scores = best.map(({ hypothesis }) => hypothesis.score);
  return [
    ...rows,
    [
      'beam',
      differences(
        golden,
        best.map(({ ids }) => ids),
        expected.beam.data,
      ),
      0,
    ],
    ['beam_scores', relativeError(scores, expected.beam_scores?.data ?? []), scoreLimit(cacheType)],
  ];
}

/** The most probable language of each row; -1 for a model without languages. */
async function detectLanguages({ golden, speech }: WhisperCase, engine: Engine): Promise<number[]> {
  const rows = golden.source.shape[0] ?? 0;
  const prompts = Array.from({ length: rows }, () => [golden.config.startId]);
  const only = [...speech.languages.values()];
  if (only.length === 0) return prompts.map(() => -1);
  const rules = { prompt: 1, banned: [], bannedFirst: [], only };
  const found = await run(golden, engine, { maxNewTokens: 1 }, prompts, rules);
  return found.map(({ ids }) => ids[0] ?? -1);
}

/** Decodes a case; ids with those of the prompt and the end. */
async function decodeCase(one: WhisperCase, engine: Engine, options: DecodeOptions) {
  const { golden, speech, prompts, maxLength } = one;
  const prompt = prompts[0]?.length ?? 1;
  const { config: c } = golden;
  const rules = speechTokenRules(speech, c, prompt, speech.timestamps);
  const found = await run(golden, engine, { ...options, maxNewTokens: maxLength - prompt }, prompts, rules);
  return found.map((hypothesis, b) => ({
    hypothesis,
    ids: present([...(prompts[b] ?? []), ...hypothesis.ids, hypothesis.ended ? c.endId : undefined]),
  }));
}

async function run(
  golden: GoldenCase,
  engine: Engine,
  options: DecodeOptions,
  prompts: readonly (readonly number[])[],
  rules: Parameters<typeof speechRules>[0],
): Promise<Hypothesis[]> {
  const { config: c, source } = golden;
  const p = parameterList(c, frames);
  const [batch = 0, T = 0, width = 0] = source.shape;
  const target = (prompts[0]?.length ?? 1) - 1 + (options.maxNewTokens ?? 1);
  const settings = { ...decodeSettings(options, c, target), tokenRules: speechRules(rules) };
  const shape = { batch, beams: settings.rows, source: T, target, cacheType: settings.cacheType };
  const decoder = await Decoder.open(engine, c, p, shape, modeOf(settings));
  engine.write('weights', weightsFromTensors(p, golden.weights));
  const sources = prompts.map((_, b) => source.data.subarray(b * T * width, (b + 1) * T * width));
  const search = await searchFor(settings, sources, c.endId);
  const streams = prompts.map((_, b) => b);
  for await (const _ of decoder.run({ sources, streams, prompt: batchPrompts(prompts) }, settings, search));
  return search.finish().map(([best]) => best as Hypothesis);
}
