// Messages between the page of speech and its worker: models that read speech, what they hear, and recordings of
// sentences that a model learns from. All data can be cloned.

import type { SpeechAttention } from '../../src/entries/speech.ts';
import type { Sent, WorkerAnswer, WorkerRequest } from '../common/worker-client.ts';

/** The model in use; one that ships with the page has a URL. */
export interface ModelChoice {
  readonly name: string;
  readonly url?: string;
}

/** A model that is loaded. */
export interface LoadedView {
  readonly name: string;
  readonly parameters: number;
  /** Codes of its languages; empty if it has one. */
  readonly languages: readonly string[];
  /** Whether it has learned from recordings. */
  readonly hasLearned: boolean;
}

/** What was heard in a recording. */
export interface Heard {
  readonly text: string;
  /** Words that the model is not sure of, as ranges of the text. */
  readonly doubts: readonly (readonly [start: number, end: number])[];
  readonly segments: readonly { readonly start: number; readonly end: number; readonly text: string }[];
  readonly language: string | undefined;
  readonly duration: number;
  readonly attention: readonly SpeechAttention[];
  /** Features of the recording, [frames, mels], 100 frames a second. */
  readonly mels: number;
  readonly features: Float32Array;
  /** Seconds from the end of the recording to its text. */
  readonly seconds: number;
  /** The recording as a WAV file at 16 kHz. */
  readonly sound: Blob;
}

/** A recording of a sentence. */
export interface RecordingView {
  /** Name of its file, without folder. */
  readonly file: string;
  readonly text: string;
  readonly seconds: number;
}

/** Word error rates before and after. */
export interface ErrorChange {
  readonly clips: number;
  readonly before: number;
  readonly after: number;
}

/** What the recordings changed. */
export interface TeachReport {
  /** Recordings that were learned from, and those that were kept apart. */
  readonly learned: ErrorChange;
  readonly heldOut: ErrorChange;
  readonly steps: number;
  readonly seconds: number;
  /** Words of the sentences that the model has no token for. */
  readonly unknown: readonly string[];
}

/** The calls of the page. All reject with a message for the visitor. */
export interface Calls {
  /** Names of the models in the browser that read speech. */
  models(): string[];
  use(model: ModelChoice): LoadedView;
  /** Stores a model from its files; returns its name. */
  store(files: readonly File[]): string;
  /** Downloads a model of the hub at a URL; returns its name. */
  pull(model: string, hub: string): string;
  /** Transcribes a file. */
  read(sound: Blob, language: string | undefined): Heard;
  /** Transcribes the stream of samples since the last message `begin`, until `end`. */
  listen(rate: number, language: string | undefined): Heard;
  recordings(): RecordingView[];
  /** Stores a recording of a sentence: a file, or the stream since the last message `begin`, at a rate. */
  record(text: string, from: Blob | number): RecordingView[];
  sound(file: string): Blob;
  remove(file: string): RecordingView[];
  /** The recordings and their TSV as a zip archive. */
  archive(): Blob;
  /** Trains a LoRA adapter on the recordings. */
  teach(): TeachReport;
  /** Deletes the adapter of the model. */
  forget(): LoadedView;
}

/** Messages from the page: calls, and the stream of samples of the microphone. */
export type Request =
  | WorkerRequest<keyof Calls>
  | { readonly name: 'piece'; readonly samples: Float32Array }
  | { readonly name: 'begin' | 'end' };

/** Messages from the worker that answer no call. */
export type WorkerEvent =
  /** The text so far. */
  | { readonly type: 'partial'; readonly heard: string }
  /** Logarithms of the bands of the frames that are new, [frames, mels]. */
  | { readonly type: 'frames'; readonly logs: Float32Array; readonly mels: number }
  | { readonly type: 'status'; readonly text: string };

/** Messages from the worker. */
export type Reply = WorkerAnswer | Sent<WorkerEvent>;
