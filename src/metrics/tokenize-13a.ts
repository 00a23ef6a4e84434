// The tokenizer of BLEU scores: mteval-v13a's, as sacreBLEU has it. Punctuation of ASCII stands apart, except full stops and commas
// inside numbers, apostrophes, and hyphens that follow no digit.

import { wordsOf } from './ngrams.ts';

const entities: readonly (readonly [string, string])[] = [
  ['<skipped>', ''],
  ['-\n', ''],
  ['\n', ' '],
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/** Each in turn over the whole text; a match takes what it looked at with it, so the order and the groups matter. */
const rules: readonly (readonly [RegExp, string])[] = [
  // ASCII's punctuation and space, without ' , - and .
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  // a full stop or comma, unless a digit stands before it
  [/([^0-9])([.,])/gu, '$1 $2 '],
  // a full stop or comma, unless a digit follows
  [/([.,])([^0-9])/gu, ' $1 $2'],
  // a hyphen after a digit
  [/([0-9])(-)/g, '$1 $2 '],
];

/** The tokens of a text. */
export function tokenize13a(text: string): string[] {
  let line = text;
  for (const [entity, plain] of entities) line = line.replaceAll(entity, plain);
  line = ` ${line} `;
  for (const [pattern, apart] of rules) line = line.replace(pattern, apart);
  return wordsOf(line);
}
