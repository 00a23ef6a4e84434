/**
 * The entry 'heddle/speech': recordings and images of lines as sources.
 *
 * @module heddle/speech
 */

export { LogMel, LogMelStream } from './audio/log-mel.ts';
export { Resampler } from './audio/resample.ts';
export { type Sound, writeWav } from './audio/wav.ts';
export type { SpeechSegment } from './decode/speech-text.ts';
export type { SpeechAttention, TranscribeOptions, Transcription } from './decode/transcribe-options.ts';
export { drawLine, lineFrames, patchWidth } from './line-image.ts';
export type { ImagePixels } from './line-pixels.ts';
export type { ImageInput, ReadOptions } from './read-image.ts';
export type { Clip } from './speech-clips.ts';
export { type SpeechInput, type SpeechStream, samplesOf as readSpeech } from './transcribe-speech.ts';
