/**
 * The entry 'heddle/speech': models that write down speech (Whisper) or read images of lines of text: loading,
 * transcription, training on clips, and the sounds and images that they take.
 *
 * @module heddle/speech
 */

export { LogMel, LogMelStream } from '../features/speech/audio/log-mel.ts';
export { Resampler } from '../features/speech/audio/resample.ts';
export { type Sound, writeWav } from '../features/speech/audio/wav.ts';
export type { SpeechSegment } from '../features/speech/decode/speech-text.ts';
export type {
  SpeechAttention,
  TranscribeOptions,
  Transcription,
} from '../features/speech/decode/transcribe-options.ts';
export { patchWidth } from '../features/speech/frame-kind.ts';
export { drawLine, lineFrames } from '../features/speech/line-image.ts';
export type { ImagePixels } from '../features/speech/line-pixels.ts';
export type { ImageInput, ReadOptions } from '../features/speech/read-image.ts';
export type { Clip } from '../features/speech/speech-clips.ts';
export { type AnyModel, LineModel, SpeechModel } from '../features/speech/speech-model.ts';
export {
  type SpeechInput,
  type SpeechStream,
  samplesOf as readSpeech,
} from '../features/speech/transcribe-speech.ts';
export { loadAnyModel, loadLineModel, loadSpeechModel } from './load-speech-with-features.ts';
export { trainAnyModel, trainLineModel, trainSpeechModel } from './train-speech-with-features.ts';
