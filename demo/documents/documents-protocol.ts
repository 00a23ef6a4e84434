// Messages between the page of documents and its worker: a project is a document with its segments, a memory,
// and what was learned. All data can be cloned.

import type { Sent, WorkerAnswer, WorkerRequest } from '../common/worker-client.ts';

/** Where a translation comes from: the model, a match of the memory, the document itself, or the visitor. */
export type Origin = 'machine' | 'exact' | 'fuzzy' | 'document' | 'edited';

/** A translation of a segment; one line of the journal. */
export interface SegmentState {
  readonly text: string;
  readonly origin: Origin;
  /** Whether the visitor has confirmed it, and when (milliseconds since 1970). */
  readonly confirmed: number | null;
  /** Mean log-probability of its tokens; null if the model did not make it. */
  readonly confidence: number | null;
  /** Words that the model is not sure of, as ranges of the text. */
  readonly doubts: readonly (readonly [start: number, end: number])[];
  /** Failed checks, in words. */
  readonly problems: readonly string[];
  /** Whether its codes are those of the source; only such a translation is written to the document. */
  readonly valid: boolean;
}

/** A segment of the table. */
export interface SegmentView {
  readonly index: number;
  /** What identifies its unit in the document, and its line if that is it. */
  readonly unit: string;
  readonly line?: number;
  readonly source: string;
  readonly state: SegmentState | null;
}

/** The model of a project: one that ships with the page has a URL. */
export interface ModelChoice {
  readonly name: string;
  readonly url?: string;
}

/** What the corrections changed. */
export interface LearnReport {
  readonly corrections: number;
  /** Pairs of the memory, or translations of the model, that were mixed in. */
  readonly rehearsal: number;
  /** Number of held-out pairs, and whether they are of the memory. */
  readonly heldOut: number;
  readonly isOfMemory: boolean;
  /** BLEU on these pairs. */
  readonly before: number;
  readonly after: number;
  readonly seconds: number;
}

/** A project. */
export interface ProjectView {
  readonly name: string;
  readonly model: ModelChoice;
  readonly source: string;
  readonly target: string;
  readonly memory: { readonly name: string; readonly pairs: number } | null;
  readonly segments: readonly SegmentView[];
  readonly learned: LearnReport | null;
}

/** What a project is made of. */
export interface NewProject {
  readonly document: File;
  readonly memory: File | null;
  readonly model: ModelChoice;
  /** Languages, as BCP 47 tags. */
  readonly source: string;
  readonly target: string;
}

/** The calls of the page. All reject with a message for the visitor. */
export interface Calls {
  /** The project of an earlier visit; null if there is none. Rejects if another tab has it. */
  open(): ProjectView | null;
  create(project: NewProject): ProjectView;
  /** Translates what has no translation; events tell each segment. Resolves at the end. */
  translate(): void;
  /** Stores a translation of the visitor; returns the segment with its checks. */
  save(index: number, text: string, confirm: boolean): SegmentView;
  /** Trains a LoRA adapter on the confirmed segments. */
  learn(): LearnReport;
  file(kind: 'document' | 'memory' | 'adapter'): Blob;
  /** Deletes the project. */
  discard(): void;
  /** Names of the models in the browser. */
  models(): string[];
}

/** Messages from the page. */
export type Request = WorkerRequest<keyof Calls>;

/** Messages from the worker that answer no call. */
export type WorkerEvent =
  | { readonly type: 'segment'; readonly segment: SegmentView }
  /** What the worker does now. */
  | { readonly type: 'status'; readonly text: string };

/** Messages from the worker. */
export type Reply = WorkerAnswer | Sent<WorkerEvent>;
