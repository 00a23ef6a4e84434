// Conversion of errors into the form that is sent to the page.

import { present } from '../../../src/core/present.ts';
import { HeddleError } from '../../../src/entries/heddle.ts';
import { settingRows } from '../../../src/entries/reports.ts';
import { english } from '../../common/english.ts';
import { LockedError } from '../../storage/model-locks.ts';
import { ExistsError } from '../../storage/model-store.ts';
import type { CallError } from '../protocol.ts';

/** Message if there is no adapter, usually after several crashes of the GPU process. */
const noAdapter = english`WebGPU found no GPU adapter. After several crashes a browser blocks the GPU for this site; close all its tabs, or restart the browser, and resume the training.`;

/** Maximum length of a message. */
const maxMessage = 400;

/** A text of more than 60 characters in quotation marks: messages quote what the visitor has entered. */
const longQuote = /(["“])([^"“”]{40})[^"“”]{20,}(["”])/g;

/** Parts of the library's messages that are about the command line, and what the page shows instead. */
const replacements: readonly (readonly [RegExp, string])[] = [
  [/^WebGPU found no adapter\..*$/s, noAdapter],
  [/, or find the cause with checkFinite/g, ''],
  [
    / The checkpoint of step (\d+) is in [^;]+; resume the run to continue\./g,
    ' The checkpoint of step $1 is in this browser; Resume continues it.',
  ],
  [/ Its log and report are in [^ ]+\.$/, ''],
  [
    /; restore the file, or resume with its path; or fine-tune .*$/s,
    '; train a new model on the changed pairs',
  ],
  [/; to avoid that, start with scheduleSteps \d+/g, ''],
  [/; start a new run\.?/g, '; start a new training'],
  [/, and --lora-adapter [^ ]+/g, ''],
  [/; heddle train --out [^ ]+ makes one/g, ''],
  [/ \((?:[\w.]+, )?--[^()]*\)/g, ''],
  [/^(?:train|planTraining): /, ''],
  // The page loads weights in f32 only.
  [/; (?:it fits with weights|no format of weights fits).*$/s, '; use a smaller model'],
  [
    /^translate: text \d+ has (\d+) tokens, its end included; the maximum length is (\d+); split it/,
    'This text has $1 tokens with its end token; the model reads at most $2. Split it',
  ],
  [
    /^no pairs are left to train on; reduce heldOut$/,
    'All pairs are held out; add pairs, or reduce “Held-out fraction”',
  ],
  [/\bmodels\/(?=[\p{L}\p{N}_-])/gu, ''],
  [
    /^dev: more than 2 % unknown tokens: (.*) of the source, (.*) of the target$/,
    'Some words of the dev sentences are not in the vocabulary, which has the words of the training pairs: $1 of the source, $2 of the target. The model cannot translate them.',
  ],
  [
    /^more than 2 % unknown tokens: (.*) of the source, (.*) of the target; use a larger vocabSize, or the tokenizer bpe$/,
    'Some words of the training pairs are not in the vocabulary: $1 of the source, $2 of the target. The model cannot learn them; under Advanced increase “Vocabulary size”, or select the tokenizer bpe.',
  ],
];

/** Labels of the settings on the page, by flag and by name; a name of one word may be a word of a message. */
const labels = new Map<string, string>(
  settingRows.flatMap(([name, { label }]) => {
    if (!label) return [];
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return present([
      [`--${flag}`, `“${label}”`] as const,
      flag === name ? undefined : ([name, `“${label}”`] as const),
    ]);
  }),
);

/**
 * Rewrites a message of the library for the page: without command-line flags, packages, paths and long
 * quotes.
 */
export function messageForVisitors(message: string): string {
  const quoted = message.replace(longQuote, '$1$2…$3');
  const text = replacements
    .reduce((before, [pattern, after]) => before.replace(pattern, after), quoted)
    .replace(/(?:--)?\b[a-z][\w-]*/gi, (word) => labels.get(word) ?? word);
  return text.length > maxMessage ? `${text.slice(0, maxMessage)}…` : text;
}

/** Returns the kind and message of an error; `aborted`: whether its call was cancelled. */
export function toCallError(error: unknown, aborted: boolean): CallError {
  const { message, stack, name } = error instanceof Error ? error : new Error(String(error));
  const as = (kind: CallError['kind']): CallError => ({ kind, message: messageForVisitors(message) });
  if (aborted || name === 'AbortError') return { kind: 'aborted', message: 'cancelled' };
  if (error instanceof LockedError) return as('locked');
  if (error instanceof ExistsError) return as('exists');
  if (!(error instanceof HeddleError)) return { kind: 'bug', message, stack };
  const { kind } = error;
  return as(kind === 'device' || kind === 'memory' || kind === 'quota' || kind === 'aborted' ? kind : 'user');
}
