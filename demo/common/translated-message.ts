// The English messages of workers in the language of the page.

import { formatInteger, inDigits } from './format.ts';
import { isTranslated, keys, translated, translationOf } from './page-texts.ts';
import { textPattern } from './text-pattern.ts';

/** The texts that have values, the longest first, with a pattern that finds the values. */
let patterns: readonly { readonly key: string; readonly pattern: RegExp }[] | undefined;

/** Texts with fewer letters than this fit too many messages. */
const minLetters = 4;

const findPatterns = () =>
  keys
    .filter((key) => /\{\d+\}/.test(key) && letterCount(key) >= minLetters)
    .sort((a, b) => letterCount(b) - letterCount(a))
    .map((key) => ({ key, pattern: textPattern(key) }));

const letterCount = (key: string): number => key.replaceAll(/\{\d+\}|\P{L}/gu, '').length;

/**
 * A message of a worker in the language of the page: by the longest English text that it fits, with its values. Others,
 * such as errors of the library, stay as they are, with the labels that they quote in the language of the page.
 */
export function translatedMessage(message: string): string {
  if (!isTranslated || message === '') return message;
  const whole = translationOf(message);
  if (whole !== undefined) return whole;
  patterns ??= findPatterns();
  for (const { key, pattern } of patterns) {
    const values = pattern.exec(message)?.slice(1);
    if (values)
      return translated(key).replaceAll(/\{(\d+)\}/g, (_, i: string) =>
        localizedValue(values[Number(i)] ?? ''),
      );
  }
  return message.replaceAll(/“([^“”]+)”/g, (_, label: string) => `“${translated(label)}”`);
}

/** A value in a message: numbers are in the digits of the language. */
function localizedValue(text: string): string {
  if (/^\d{1,3}(?:,\d{3})*$/.test(text)) return formatInteger(Number(text.replaceAll(',', '')));
  return /^\d+\.\d+(?: \S+)?$/.test(text) ? inDigits(text) : translated(text);
}
