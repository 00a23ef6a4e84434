// Which regular expressions of downloaded files are allowed.
import { expect, it } from 'vitest';
import { createHfTokenizer } from '../../../src/text/tokenizers/hf-tokenizer.ts';
import { piecesJson } from '../../../src/text/tokenizers/normalization.ts';
import { checkPattern, checkPatterns } from '../../../src/text/tokenizers/safe-pattern.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';

it.each([
  // GPT-2, GPT-4, GPT-4o, Qwen; a normalizer of XLM-RoBERTa.
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*`,
  ' {2,}',
  String.raw`\(+\)*[)*+]+`,
])('accepts %s', (pattern) => {
  expect(() => checkPattern(pattern, 'm')).not.toThrow();
});

it("allows heddle's own patterns", () => {
  expect(() => checkPatterns(piecesJson('bpe'), 'm')).not.toThrow();
});

it.each<[string, ExpectedError]>([
  ['(a+)+$', { values: ['m: the pattern "(a+)+$"'] }],
  ['(?:a|aa)*b', { values: ['m: the pattern "(?:a|aa)*b"'] }],
  ['(a|b){2,}', { values: ['m: the pattern "(a|b){2,}"'] }],
  ['a*a*a*a*a*b', { values: [5] }],
  ['x|a*(?:b|)a*(?:b|)a*(?:b|)a*(?:b|)a*', { values: [5] }],
  ['a'.repeat(5000), { values: [5000] }],
])('rejects %s', (pattern, expected) => {
  expect(() => checkPattern(pattern, 'm')).toThrow(errorAbout(expected));
});

it.each(['normalizer', 'pre_tokenizer', 'decoder'])(
  'rejects a tokenizer.json with such a pattern in its %s',
  (part) => {
    const none = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    const file = {
      ...none,
      model: { type: 'BPE', vocab: { a: 0, b: 1, Regex: 2 }, merges: [] },
      added_tokens: [],
    };
    const split = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false };
    const special = { pad: 0, start: 1, end: 1 };
    expect(createHfTokenizer(file, { special }).size).toBe(3);
    const bad = {
      ...file,
      [part]: { type: 'Sequence', pretokenizers: [split], normalizers: [split], decoders: [split] },
    };
    expect(() => createHfTokenizer(bad, { special })).toThrow(
      errorAbout({ values: ['tokenizer.json: the pattern "(a+)+$"'] }),
    );
  },
);
