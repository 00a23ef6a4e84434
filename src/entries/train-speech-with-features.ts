// `trainSpeechModel` and `trainLineModel` of the library: they bring all guests.

import { features } from '../features/features.ts';
import {
  type AnyModel,
  type LineModel,
  type SpeechModel,
  trainAny,
  trainLines,
  trainSpeech,
} from '../features/speech/speech-model.ts';
import type { GivenClips, TrainOptions } from './train-with-features.ts';

/**
 * Trains a model of speech on clips, recordings with their texts, or on a manifest of clips, or fine-tunes `from`; see
 * `train` for the options. Without `from` give a preset of speech, such as `speech-tiny`.
 * @example
 * const whisper = await loadSpeechModel('openai/whisper-tiny');
 * const clips = [{ audio: await file.arrayBuffer(), text: 'turn on the light' }];
 * const tuned = await trainSpeechModel(clips, { from: whisper, lora: { rank: 8 }, steps: 200 });
 */
export const trainSpeechModel = (
  given: GivenClips,
  options: TrainOptions<SpeechModel> = {},
): Promise<SpeechModel> => trainSpeech(given, options, features);

/**
 * Trains a model that reads images of lines, on texts that are drawn; see `train` for the options.
 * @example
 * const corpus = { kind: 'task', task: 'read-line', pairs: 20000, seed: 1 } as const;
 * const reader = await trainLineModel(corpus, { preset: 'line-tiny', steps: 2000 });
 */
export const trainLineModel = (
  given: GivenClips,
  options: TrainOptions<LineModel> = {},
): Promise<LineModel> => trainLines(given, options, features);

/**
 * Trains a model of the kind that the data and the preset say; see `loadAnyModel` for what it has, and `train` for the
 * options.
 * @example
 * const corpus = { kind: 'task', task: 'read-line', pairs: 20000, seed: 1 } as const;
 * const trained = await trainAnyModel(corpus, { preset: 'line-tiny', steps: 2000 });
 * if ('read' in trained) console.log(await trained.read('hedge'));
 */
export const trainAnyModel = (given: GivenClips, options: TrainOptions<AnyModel> = {}): Promise<AnyModel> =>
  trainAny(given, options, features);
