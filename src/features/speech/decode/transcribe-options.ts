// Options and results of a transcription.

import type { SpeechSegment } from './speech-text.ts';

/** Options of a transcription. */
export interface TranscribeOptions {
  /** Language of the speech: code, token or English name. [that of the model's files, else detected] */
  readonly language?: string;
  /** `transcribe` writes what is said, `translate` says it in English. [that of the model's files, else 'transcribe'] */
  readonly task?: 'transcribe' | 'translate';
  /** Whether segments get times within a window. A recording longer than a window has them in any case. [true] */
  readonly timestamps?: boolean;
  /** Number of beams. [1, greedy] */
  readonly beams?: number;
  /** Temperatures that are tried one after the other while the text is poor. [0, 0.2, 0.4, 0.6, 0.8, 1] */
  readonly temperature?: number | readonly number[];
  /** Text before the recording, for names and spelling. [none] */
  readonly prompt?: string;
  /** Whether the text of a window is the prompt of the next one. [true] */
  readonly conditionOnPrevious?: boolean;
  /** The text is poor above this compression ratio. [2.4] */
  readonly maxCompressionRatio?: number;
  /** The text is poor below this mean log-probability of its tokens. [-1] */
  readonly minLogProb?: number;
  /** A window has no speech above this probability, if its text is improbable. [0.6] */
  readonly noSpeechThreshold?: number;
  /** Seed of sampling at temperatures above 0. [0] */
  readonly seed?: number;
  /** Receives each segment when its window is decoded. */
  readonly onSegment?: (segment: SpeechSegment) => void;
  /**
   * Receives the text of the current window after each token. Of a recording that is a stream also before the window
   * is complete: its text so far, each second.
   */
  readonly onPartial?: (text: string) => void;
  /** Whether the result has the cross-attention of each window. [false] */
  readonly attention?: boolean;
  /** Receives the seconds that are transcribed, and those of the recording. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the transcription, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a recording says: its text, in one piece and in segments with times. */
export interface Transcription {
  /** The text of all segments. */
  readonly text: string;
  /** The segments in the order of time. */
  readonly segments: readonly SpeechSegment[];
  /** Code of the language of the speech; undefined for a model without languages. */
  readonly language: string | undefined;
  /** Length of the recording in seconds. */
  readonly duration: number;
  /** Cross-attention of each window, with `attention`. */
  readonly attention?: readonly SpeechAttention[];
}

/** Cross-attention over time in a window of a recording, with the text given (teacher forcing). */
export interface SpeechAttention {
  /** Start of the window in seconds from the start of the recording. */
  readonly start: number;
  /** Seconds between two positions of the encoder. */
  readonly step: number;
  /** Labels of the T tokens of the window, time stamps and the end token included. */
  readonly tokens: readonly string[];
  /** Log-probabilities [T] of these tokens by the model, without the rules of decoding. */
  readonly logProbs: Float32Array;
  /** Number of decoder layers. */
  readonly layers: number;
  /** Number of attention heads of a layer. */
  readonly heads: number;
  /** Number S of positions until the recording ends; the silence after it is left out. */
  readonly positions: number;
  /** Probabilities [layers, heads, T, S] of the prediction of each token; rows without silence sum to 1. */
  readonly weights: Float32Array;
}
