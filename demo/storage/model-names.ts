// Names of models in the browser.

import { english } from '../common/english.ts';

/** The rule for names, for messages. */
export const modelNameRule = english`use letters, digits, - and _, with single spaces or dots between them, at most 60 characters`;

/**
 * Whether a text is a valid model name: letters, digits, `-`, `_`, single inner dots and spaces; at most 60
 * characters.
 */
export const isModelName = (text: string): boolean =>
  text.length <= 60 && /^[\p{L}\p{N}_-]+(?:[ .][\p{L}\p{N}_-]+)*$/u.test(text);

/** Turns a text into a valid model name: other characters become `-`. */
export function toModelName(text: string): string {
  const name = text
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 60);
  return name || 'model';
}

/** A name as a page shows it, of at most `most` characters: other programs can give the files of a model any name. */
export const shortName = (name: string, most = 60): string =>
  name.length <= most ? name : `${[...name].slice(0, most - 20).join('')}…${[...name].slice(-15).join('')}`;
