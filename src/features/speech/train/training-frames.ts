// The sources of a training that are frames: clips of speech, or lines of text that are drawn.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type { TextModel } from '../../../decode/translator.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import { modelFields } from '../../../model/model-fields.ts';
import type { RunSettings } from '../../../session/data-step.ts';
import { createPace } from '../../../session/job-pace.ts';
import type {
  DecodedRows,
  ModelToEncodeFor,
  PlannedDecoder,
  RowDecoder,
  TrainingSource,
  TrainingSourceKind,
  TrainingSourceOptions,
} from '../../../session/training-source.ts';
import type { EncodedCorpus, EncodeOptions, VectorRow } from '../../../text/batches/encoded-corpus.ts';
import {
  createPairHash,
  type Fingerprint,
  heldOutParts,
  type PairList,
  type Split,
} from '../../../text/corpus/pairs.ts';
import { framesOf } from '../batches/frame-rows.ts';
import { FrameTexts, frameTextGraphs } from '../decode/frame-texts.ts';
import { type SpeechFacts, speechFactsOf } from '../decode/speech-facts.ts';
import { needsDetection, promptOf } from '../decode/speech-prompts.ts';
import { frameKindOf } from '../frame-kind.ts';
import { clipRoots, readClips } from '../load-clips.ts';
import { FrameCache } from './frame-cache.ts';
import { FrameEncoder } from './frame-encoder.ts';
import { clipMaker, lineMaker } from './frame-makers.ts';

/** Settings of a run that decide about frames. */
interface FrameSettings {
  readonly keepTokens?: boolean;
  readonly sourceLang?: string;
  readonly targetLang?: string;
  readonly batchSize?: number;
  readonly maxTokens?: number;
  readonly gradientAccumulationSteps?: number;
  readonly probe?: string;
}

/** Frames in trainings. */
export const frameSource: TrainingSourceKind = {
  checkSettings: (settings) =>
    check(
      !(settings as FrameSettings).probe,
      msg`${option('probe')} is for sources of tokens; leave it out`,
      { area: 'train' },
    ),
  defaults: (given, start) =>
    speechFactsOf(start)?.fillsWindow ? windowBatches(given as FrameSettings) : {},
  open: (options) => new FrameSource(options),
};

/**
 * Batches of a model that reads whole windows of speech (30 s), if the settings have no batch size: few rows, since a
 * window has as many positions as dozens of sentences. An update has 8 of them.
 */
const windowBatches = (given: FrameSettings): RunSettings =>
  (given.batchSize ?? given.maxTokens) === undefined
    ? { batchSize: 4, maxTokens: undefined, gradientAccumulationSteps: given.gradientAccumulationSteps ?? 2 }
    : {};

/** The sources of a training that are frames. */
class FrameSource implements TrainingSource {
  readonly isText = false;
  readonly #encoder: FrameEncoder;
  readonly #options: TrainingSourceOptions;
  readonly #kind: ReturnType<typeof frameKindOf>;

  constructor(options: TrainingSourceOptions) {
    const { settings, model, start, corpus, out, sourceData, session } = options;
    const { files, emit } = session;
    this.#options = options;
    const speech = start && speechFactsOf(start);
    const width = start?.config.frameWidth ?? model.frameWidth ?? modelFields.frameWidth.default;
    const stem = start?.config.stem ?? model.stem ?? modelFields.stem.default;
    this.#kind = frameKindOf({ stem, frameWidth: width });
    check(
      this.#kind === 'line' || corpus,
      'the model reads speech, a built-in corpus has texts; give a manifest of clips',
      { area: 'train' },
    );
    const filled = speech?.fillsWindow ? speech.windowSamples : undefined;
    const maker = this.#kind === 'line' ? lineMaker : clipMaker(width, filled, files, sourceData);
    const prefix = start && speech ? prefixOf(start.config, speech, settings as FrameSettings, session) : [];
    this.#encoder = new FrameEncoder(
      new FrameCache(
        files,
        this.#kind === 'line' || (settings as FrameSettings).keepTokens === false ? '' : out,
        maker,
      ),
      prefix,
      () => createPace(session),
      (text) => emit({ type: 'warning', text }),
    );
  }

  /** Reads the clips of the corpus, split by their texts; undefined if its sources are texts, which are drawn. */
  async read(): Promise<Split | undefined> {
    const { corpus, hasStages, heldOut, session } = this.#options;
    if (!corpus || this.#kind === 'line') return undefined;
    check(
      !hasStages,
      'weights and stages of a corpus are for texts; give manifests of clips without weights',
      { area: 'train' },
    );
    return readClips(corpus, heldOutParts(heldOut, corpus), session.files);
  }

  encode(
    pairs: PairList,
    { config, target }: ModelToEncodeFor,
    limits: EncodeOptions,
  ): Promise<EncodedCorpus> {
    return this.#encoder.encode(pairs, config, target, limits);
  }

  write(): Promise<void> {
    return this.#encoder.write();
  }

  openDecoder({ engine, model, parameters, corpus, rows, shape }: DecodedRows): RowDecoder {
    const frames = framesOf(corpus);
    const texts = new FrameTexts(engine, model, parameters, shape, this.#promptOf(model));
    const sources = rows.map((row) => frames?.rows[row] as VectorRow);
    return (signal) => texts.decode(sources, frames?.width ?? 0, signal);
  }

  decoderGraphs({ model, parameters, shape }: PlannedDecoder): readonly Graph[] {
    return frameTextGraphs(model, parameters, shape, this.#promptOf(model));
  }

  /** The tokens that each text starts from. */
  #promptOf({ config }: Pick<TextModel, 'config'>): readonly number[] {
    return [config.startId, ...this.#encoder.prefix];
  }

  /** Fingerprint of clips: of their paths from the manifest on, and of their texts. */
  async fingerprint(pairs: PairList): Promise<Fingerprint> {
    const roots = clipRoots(this.#options.corpus?.train);
    const hash = createPairHash();
    for (const { source, target } of pairs) {
      const root = roots.find((folder) => folder !== '' && source.startsWith(`${folder}/`));
      hash.add([{ source: root === undefined ? source : source.slice(root.length + 1), target }]);
    }
    return hash.value();
  }
}

/** The tokens between the start token and the text of a target: language, task, no time stamps. */
function prefixOf(
  config: ModelConfig,
  speech: SpeechFacts,
  { sourceLang, targetLang }: FrameSettings,
  { emit }: Pick<TrainingSourceOptions['session'], 'emit'>,
): number[] {
  const { languages } = speech;
  const task = targetLang === undefined ? undefined : targetLang === sourceLang ? 'transcribe' : 'translate';
  const isKnown = !speech.multilingual || !needsDetection(speech, { language: sourceLang, task });
  const assumed = languages.has('en') ? 'en' : [...languages.keys()][0];
  if (!isKnown)
    emit({
      type: 'message',
      text: msg`the language of the clips is not given, ${assumed} is assumed; to change that, give ${option('sourceLang')}`,
    });
  const prompt = promptOf(speech, config, {
    language: isKnown ? sourceLang : assumed,
    task,
    timestamps: false,
  });
  return prompt.slice(1);
}
