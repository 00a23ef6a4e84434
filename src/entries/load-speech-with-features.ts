// `loadSpeechModel` and `loadLineModel` of the library: they bring all guests.

import type { LoadOptions } from '../api/load-options.ts';
import { features } from '../features/features.ts';
import {
  type AnyModel,
  type LineModel,
  loadAny,
  loadLines,
  loadSpeech,
  type SpeechModel,
} from '../features/speech/speech-model.ts';
import type { FolderSource } from '../files/given-files.ts';

/**
 * Loads a model that writes down speech: a Whisper model of Hugging Face, or one that `trainSpeechModel` saved. The
 * arguments are those of `loadModel`. Throws a HeddleError if there is no such model, or it does not read speech.
 * @example
 * const whisper = await loadSpeechModel('openai/whisper-tiny');
 * const { text } = await whisper.transcribe(await file.arrayBuffer());
 */
export const loadSpeechModel = (where: FolderSource, options: LoadOptions = {}): Promise<SpeechModel> =>
  loadSpeech(where, options, features);

/**
 * Loads a model that reads images of one line of text, which `trainLineModel` saved. The arguments are those of
 * `loadModel`. Throws a HeddleError if there is no such model, or it does not read images of lines.
 * @example
 * const reader = await loadLineModel('lines');
 * console.log(await reader.read(file));
 */
export const loadLineModel = (where: FolderSource, options: LoadOptions = {}): Promise<LineModel> =>
  loadLines(where, options, features);

/**
 * Loads a model of any kind, for programs that take whatever is stored: a `Model` of text has `translate`, a
 * `SpeechModel` has `transcribe`, a `LineModel` has `read`. The arguments and errors are those of `loadModel`.
 * @example
 * const model = await loadAnyModel('out');
 * if ('translate' in model) console.log(await model.translate('Good morning.'));
 */
export const loadAnyModel = (where: FolderSource, options: LoadOptions = {}): Promise<AnyModel> =>
  loadAny(where, options, features);
