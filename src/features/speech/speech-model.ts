// Models of speech, and of images of lines of text: classes, how to load them, and how to train them.

import type { GivenData } from '../../api/given-inputs.ts';
import { loadModelAs } from '../../api/load-model.ts';
import type { LoadOptions } from '../../api/load-options.ts';
import { BaseModel, type Model, type ModelMaker, originOf, textModel } from '../../api/model.ts';
import type { ModelEngine, ModelParts } from '../../api/model-engine.ts';
import { trainAs } from '../../api/train.ts';
import type { TrainOptions } from '../../api/train-options.ts';
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { FolderSource } from '../../files/given-files.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { Features } from '../../session/feature-table.ts';
import type { Session } from '../../session/session.ts';
import { speechFactsOf } from './decode/speech-facts.ts';
import type { TranscribeOptions, Transcription } from './decode/transcribe-options.ts';
import { readsFrames } from './frame-kind.ts';
import { type ImageInput, type ReadOptions, readImages } from './read-image.ts';
import { type SpeechInput, type SpeechStream, transcribeSpeech } from './transcribe-speech.ts';

const nameOf = ({ name = 'The model' }: ModelParts): string => name;

/** A model that writes down speech: Whisper, or one that `trainSpeechModel` trained. */
export class SpeechModel extends BaseModel {
  /** Codes of the languages of a multilingual model, such as `en`, for the option `language`; else empty. */
  readonly languages: readonly string[];

  /**
   * A saved model that computes on a session. Throws a HeddleError if it does not read speech.
   * @internal
   */
  constructor(saved: SavedModel, session: Session, parts: ModelParts = {}) {
    check(readsFrames(saved, 'log-mel'), msg`${nameOf(parts)} does not read speech; use a Whisper model`, {
      kind: 'unsupported',
      area: 'transcribe',
    });
    super(saved, session, parts);
    const facts = speechFactsOf(saved);
    this.languages = facts?.multilingual ? [...facts.languages.keys()] : [];
  }

  get #engine(): ModelEngine {
    return originOf(this).engine;
  }

  /**
   * Writes down what is said in a recording. Long recordings are read in windows; `onSegment` receives each piece with
   * its times. The features of a stream are computed while it arrives, and `onPartial` receives its text so far. `name`
   * is that of the recording in errors.
   * @example
   * const whisper = await loadSpeechModel('openai/whisper-tiny');
   * const talk = await (await fetch('talk.wav')).arrayBuffer();
   * const { text, segments } = await whisper.transcribe(talk, { language: 'en' });
   */
  transcribe(
    audio: SpeechInput | SpeechStream,
    options: TranscribeOptions = {},
    name?: string,
  ): Promise<Transcription> {
    return transcribeSpeech(this.#engine, audio, options, name);
  }
}

/** A model that reads images of one line of text, of the task read-line. */
export class LineModel extends BaseModel {
  /**
   * A saved model that computes on a session. Throws a HeddleError if it does not read images of lines.
   * @internal
   */
  constructor(saved: SavedModel, session: Session, parts: ModelParts = {}) {
    check(
      readsFrames(saved, 'line'),
      msg`${nameOf(parts)} does not read images of lines; train one on the task read-line`,
      { kind: 'unsupported' },
    );
    super(saved, session, parts);
  }

  get #engine(): ModelEngine {
    return originOf(this).engine;
  }

  /**
   * Reads the text in an image of one line.
   * @example
   * const reader = await loadLineModel('lines');
   * const text = await reader.read(await (await fetch('line.png')).blob());
   */
  read(image: ImageInput, options?: ReadOptions): Promise<string>;
  /** Reads several images, in order. */
  read(images: readonly ImageInput[], options?: ReadOptions): Promise<string[]>;
  async read(images: ImageInput | readonly ImageInput[], options?: ReadOptions): Promise<string | string[]> {
    return readImages(this.#engine, images, options);
  }
}

/** Makes a model of speech. */
export const speechModel: ModelMaker<SpeechModel> = (saved, session, parts) =>
  new SpeechModel(saved, session, parts);

/** Makes a model of images of lines. */
export const lineModel: ModelMaker<LineModel> = (saved, session, parts) =>
  new LineModel(saved, session, parts);

/** A model of text, speech or lines. */
export type AnyModel = Model | SpeechModel | LineModel;

/** Makes a model of the class of what it reads. */
export const modelOfKind: ModelMaker<AnyModel> = (saved, session, parts) => {
  if (saved.config.source !== 'frames') return textModel(saved, session, parts);
  return (readsFrames(saved, 'log-mel') ? speechModel : lineModel)(saved, session, parts);
};

/** `loadSpeechModel` of the library, with the guests that the caller has. */
export const loadSpeech = (
  where: FolderSource,
  options: LoadOptions,
  features: Features,
): Promise<SpeechModel> => loadModelAs(speechModel, where, options, features);

/** `loadLineModel` of the library, with the guests that the caller has. */
export const loadLines = (
  where: FolderSource,
  options: LoadOptions,
  features: Features,
): Promise<LineModel> => loadModelAs(lineModel, where, options, features);

/** `trainSpeechModel` of the library, with the guests that the caller has. */
export const trainSpeech = (
  given: GivenData,
  options: TrainOptions<SpeechModel>,
  features: Features,
): Promise<SpeechModel> => trainAs(speechModel, given, options, features);

/** `trainLineModel` of the library, with the guests that the caller has. */
export const trainLines = (
  given: GivenData,
  options: TrainOptions<LineModel>,
  features: Features,
): Promise<LineModel> => trainAs(lineModel, given, options, features);

/** `loadAnyModel` of the library, with the guests that the caller has. */
export const loadAny = (where: FolderSource, options: LoadOptions, features: Features): Promise<AnyModel> =>
  loadModelAs(modelOfKind, where, options, features);

/** `trainAnyModel` of the library, with the guests that the caller has. */
export const trainAny = (
  given: GivenData,
  options: TrainOptions<AnyModel>,
  features: Features,
): Promise<AnyModel> => trainAs(modelOfKind, given, options, features);
