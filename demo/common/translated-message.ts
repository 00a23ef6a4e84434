// The English messages of workers in the language of the page.

import { type Message, type MessageStyle, renderMessage } from '../../src/core/message.ts';
import { formatBytes, formatInteger, formatPercent, inDigits } from './format.ts';
import { isTranslated, keys, sayCount, translated, translationOf } from './page-texts.ts';
import { textPattern } from './text-pattern.ts';

/** How the page writes messages. */
const pageStyle: MessageStyle = {
  text: translationOf,
  hole(hole) {
    if (typeof hole === 'string') return translated(hole);
    if (typeof hole === 'number') return inDigits(String(hole));
    if (hole.type === 'label') return `“${translated(hole.text)}”`;
    if (hole.type === 'count') return sayCount(hole.value, hole.one, hole.many);
    if (hole.type === 'bytes') return formatBytes(hole.value);
    return hole.type === 'percent' ? formatPercent(hole.value) : undefined;
  },
};

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
export function translatedMessage(message: Message | string): string {
  if (typeof message !== 'string') return renderMessage(message, pageStyle);
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
