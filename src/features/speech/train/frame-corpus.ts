// The corpus of a run whose source is frames: its clips, and what makes their frames.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import { modelFields } from '../../../model/model-fields.ts';
import { createPace } from '../../../session/job-pace.ts';
import {
  createPairHash,
  type Fingerprint,
  heldOutParts,
  type PairList,
  type Split,
} from '../../../text/corpus/pairs.ts';
import { type CorpusArguments, type CorpusSession, corpusFiles } from '../../../train/data/load-corpus.ts';
import type { CompleteArguments } from '../../../train/settings/train-arguments.ts';
import type { TrainingDataOptions } from '../../../train/update/training-data.ts';
import { frameKindOf } from '../decode/frame-facts.ts';
import type { SpeechFacts } from '../decode/speech-facts.ts';
import { promptOf } from '../decode/speech-prompts.ts';
import { clipRoots, readClips } from '../load-clips.ts';
import { FrameCache } from './frame-cache.ts';
import { FrameEncoder } from './frame-encoder.ts';
import { clipMaker, lineMaker } from './frame-makers.ts';

/** The corpus of a run whose source is frames. */
export class FrameCorpus {
  readonly encoder: FrameEncoder;
  readonly #corpus: CorpusArguments;
  readonly #heldOut: number;
  readonly #session: CorpusSession;
  readonly #kind: ReturnType<typeof frameKindOf>;

  /** `start`: the model that is fine-tuned or resumed; `clips`: samples of sources by name, if they are no files. */
  constructor(
    args: CompleteArguments,
    { model }: Pick<TrainingDataOptions, 'model'>,
    session: CorpusSession,
    start: SavedModel | undefined,
    clips: ReadonlyMap<string, Float32Array> | undefined,
  ) {
    const { files, emit } = session;
    this.#corpus = args.corpus;
    this.#heldOut = args.heldOut;
    this.#session = session;
    const speech = start?.speech;
    const width = start?.config.frameWidth ?? model.frameWidth ?? modelFields.frameWidth.default;
    const stem = start?.config.stem ?? model.stem ?? modelFields.stem.default;
    this.#kind = frameKindOf({ stem, frameWidth: width });
    check(
      this.#kind === 'line' || args.corpus.kind === 'files' || args.corpus.kind === 'tsv',
      'the model reads speech, a built-in corpus has texts; give a manifest of clips',
      { area: 'train' },
    );
    const filled = speech?.fillsWindow ? speech.windowSamples : undefined;
    const maker = this.#kind === 'line' ? lineMaker : clipMaker(width, filled, files, clips);
    const prefix = start && speech ? prefixOf(start.config, speech, args, session) : [];
    this.encoder = new FrameEncoder(
      new FrameCache(files, this.#kind === 'line' ? '' : args.out, maker),
      prefix,
      () => createPace(session),
      (text) => emit({ type: 'warning', text }),
    );
  }

  /** Reads the clips of the corpus, split by their texts; undefined if its sources are texts, which are drawn. */
  async read(): Promise<Split | undefined> {
    const files = corpusFiles(this.#corpus);
    if (!files || this.#kind === 'line') return undefined;
    check(
      this.#corpus.kind !== 'files' || !this.#corpus.stages,
      'weights and stages of a corpus are for texts; give manifests of clips without weights',
      { area: 'train' },
    );
    return readClips(files, heldOutParts(this.#heldOut, files), this.#session.files);
  }

  /** Fingerprint of clips: of their paths from the manifest on, and of their texts. */
  fingerprint(pairs: PairList): Fingerprint {
    const roots = clipRoots(corpusFiles(this.#corpus)?.train);
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
  { sourceLang, targetLang }: CompleteArguments,
  { emit }: Pick<CorpusSession, 'emit'>,
): number[] {
  const { multilingual, languages, forced } = speech;
  const known = [...languages.values()];
  const isKnown = !multilingual || sourceLang !== undefined || forced.some((id) => known.includes(id));
  const assumed = languages.has('en') ? 'en' : [...languages.keys()][0];
  if (!isKnown)
    emit({
      type: 'message',
      text: msg`the language of the clips is not given, ${assumed} is assumed; to change that, give ${option('sourceLang')}`,
    });
  const prompt = promptOf(speech, config, {
    language: isKnown ? sourceLang : assumed,
    task: targetLang === undefined ? undefined : targetLang === sourceLang ? 'transcribe' : 'translate',
    timestamps: false,
  });
  return prompt.slice(1);
}
