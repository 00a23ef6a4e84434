// Messages between the page of a language and its worker: one language at a time, in the browser's storage.

import type {
  LanguagePlan,
  LanguageState,
  LanguageStepName,
} from '../../src/features/language/language-flow.ts';
import type { Sent, WorkerAnswer, WorkerRequest } from '../common/worker-client.ts';

/** A new language: a file of pairs, or the built-in ones, and what is made of them. */
export interface NewLanguage {
  /** null: dates, amounts and names in both languages, from Unicode CLDR. */
  readonly pairs: File | null;
  readonly plan: LanguagePlan;
}

/** Calls of the page. */
export interface Calls {
  /** The language of the last visit; null if there is none. */
  open(): LanguageState | null;
  create(language: NewLanguage): LanguageState;
  /** Runs the steps that are not done, with tuned kernels or not. An empty error: it was stopped. */
  run(tune: boolean): LanguageState;
  stop(): void;
  /** The files for Firefox by name. */
  files(): Readonly<Record<string, Uint8Array>>;
  /** A zip of these files, or of the configuration of `heddle language` and its pairs. */
  archive(what: 'firefox' | 'configuration'): Blob;
  /** Adds the int8 model to the models of the browser. Returns its name. */
  keep(): string;
  /** Translates with heddle. Returns the translation and the milliseconds. */
  translate(text: string): { readonly translation: string; readonly milliseconds: number };
  discard(): void;
}

/** What the worker does. */
export type WorkerEvent = {
  readonly type: 'progress';
  readonly step: LanguageStepName;
  readonly text: string;
  /** Done part of the step, from 0 to 1; null if unknown. */
  readonly share: number | null;
  /** The language after the last step that is done. */
  readonly state: LanguageState;
};

/** A call. */
export type Request = WorkerRequest<keyof Calls>;

/** Message of the worker. */
export type Reply = WorkerAnswer | Sent<WorkerEvent>;
