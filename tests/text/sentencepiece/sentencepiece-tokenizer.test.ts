// SentencePiece tokenizers with the vocabulary of MarianMT.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/text/load-tokenizer.ts';
import { openSentencePiece } from '../../../src/text/sentencepiece/processor.ts';
import { SentencePieceTokenizer } from '../../../src/text/sentencepiece/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { decodeIds } from '../../support/sentencepiece.ts';
import { quixote } from '../../support/text.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/sentencepiece');
const read = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.model`)));
const [sourceFile, targetFile] = [read('unigram'), read('bpe')];
const [sourceModel, targetModel] = [openSentencePiece(sourceFile), openSentencePiece(targetFile)];

/**
 * A vocab.json as MarianMT has it: the pieces of both sides, the special ones at their places, a language
 * code.
 */
const vocab: Record<string, number> = { '</s>': 0, '<unk>': 1 };
for (const text of [
  '>>fra<<',
  '☃',
  ...[sourceModel, targetModel].flatMap((m) => m.model.pieces.map((p) => p.text)),
])
  vocab[text] ??= Object.keys(vocab).length;
delete vocab['<pad>']; // the BPE model has one; here it is last
const size = Math.max(...Object.values(vocab)) + 2;
vocab['<pad>'] = size - 1;

const marian = (file: Uint8Array) => new SentencePieceTokenizer({ file, name: 'source.spm', vocab });
const [source, target] = [marian(sourceFile), marian(targetFile)];

describe('with the ids of a vocab.json', () => {
  it('has the special tokens of MarianMT, which starts with padding', () => {
    expect([source.size, source.special]).toEqual([
      size,
      { pad: size - 1, start: size - 1, end: 0, unknown: 1 },
    ]);
  });

  it('maps pieces to its ids', () => {
    for (const line of quixote)
      for (const [tokenizer, model] of [
        [source, sourceModel],
        [target, targetModel],
      ] as const)
        expect(tokenizer.encode(line)).toEqual(model.encode(line).map((piece) => vocab[piece.text] ?? 1));
  });

  it('finds pieces of the other language in the shared vocabulary', () => {
    expect(sourceModel.encode('☃').map((piece) => piece.id)).toContain(0);
    expect(source.encode('☃').map((id) => source.token(id))).toEqual(['▁', '☃']);
    expect(source.encode('☃☄').at(-1)).toBe(source.special.unknown);
  });

  it('encodes a language code at the start as one token', () => {
    expect(source.encode('>>fra<< the dog')).toEqual([vocab['>>fra<<'], ...source.encode(' the dog')]);
    expect(source.encode('>>zzz<< the')).toEqual(
      sourceModel.encode('>>zzz<< the').map((p) => vocab[p.text] ?? 1),
    );
    expect(source.encode('the >>fra<<')).not.toContain(vocab['>>fra<<']);
  });

  it('never encodes text to a special token', () => {
    const { special } = source;
    const ids = source.encode('<pad></s><pad> </s>');
    expect(ids.some((id) => id === special.pad || id === special.end)).toBe(false);
  });

  it('decodes to text, without special tokens', () => {
    const { pad, end, unknown } = target.special;
    const whole = quixote.filter((line) => !target.encode(line).includes(unknown));
    expect(whole.length).toBeGreaterThan(3);
    for (const line of whole)
      expect(target.decode([pad, ...target.encode(line), end, pad])).toBe(target.normalize(line));
    const word = vocab.Mary as number;
    expect(target.decode([unknown, word, unknown, unknown])).toBe('<unk> Mary <unk> <unk>');
    expect(target.decode([])).toBe('');
  });

  it('decodes pieces of the other language with spaces', () => {
    const strange = sourceModel.model.pieces.find(
      (p) => p.text.length > 3 && !targetModel.model.pieces.some((q) => q.text === p.text),
    );
    const text = strange?.text ?? '';
    expect(target.decode([vocab[text] as number, vocab[text] as number])).toBe(
      `${text}${text}`.replaceAll('▁', ' ').trim(),
    );
  });

  it('may have fewer tokens than the model, and rejects more', () => {
    const wide = new SentencePieceTokenizer({
      file: sourceFile,
      name: 'source.spm',
      vocab,
      size: size + 5,
    });
    expect([wide.size, wide.token(size + 4), wide.decode([size + 4])]).toEqual([
      size + 5,
      `[unused${size + 4}]`,
      '',
    ]);
    for (const id of [-1, 1.5, size + 5])
      expect(() => wide.decode([id])).toThrow(errorAbout({ area: 'tokenizer', values: [816] }));
  });
});

describe('with its own ids', () => {
  const own = new SentencePieceTokenizer({ file: targetFile, name: 'spiece.model' });

  it('equals SentencePiece', () => {
    expect(own.special).toEqual({ pad: 3, start: 3, end: 2, unknown: 0 });
    for (const line of quixote) {
      const ids = own.encode(line);
      expect(ids).toEqual(targetModel.encode(line).map((piece) => piece.id));
      expect(own.decode(ids)).toBe(decodeIds(targetModel, ids));
    }
    expect(own.normalize('  a  fi ')).toBe('a FI');
  });

  it('needs padding, from the file or from the caller', () => {
    const make = (special?: { pad: number }) =>
      new SentencePieceTokenizer({ file: sourceFile, name: 'x.model', special });
    expect(() => make()).toThrow(errorAbout({ area: 'x.model', values: [600, '<pad>', 'padding'] }));
    expect(make({ pad: 1 }).special).toEqual({ pad: 1, start: 1, end: 2, unknown: 0 });
    expect(() => make({ pad: 600 })).toThrow(errorAbout({ area: 'x.model', values: ['padding', 600] }));
  });
});

it.each<[string, Tokenizer]>([
  ['a vocab.json', source],
  ['ids of its own', new SentencePieceTokenizer({ file: read('bpe-bytes'), name: 'x', special: { pad: 1 } })],
])('comes back from tokenizer.json, with %s', (_, tokenizer) => {
  const text = JSON.stringify(tokenizer);
  const back = loadTokenizer(text);
  expect([back.kind, back.size, back.special]).toEqual(['sentencepiece', tokenizer.size, tokenizer.special]);
  for (const line of [...quixote, '☃ >>fra<< \u0000']) {
    expect(back.encode(line)).toEqual(tokenizer.encode(line));
    expect(back.decode(back.encode(line))).toBe(tokenizer.decode(tokenizer.encode(line)));
  }
  expect(JSON.stringify(back)).toBe(text);
});

describe('rejects', () => {
  it.each<[string, unknown, ExpectedError]>([
    ['a list', [], { area: 'vocab.json' }],
    ['an id that is text', { a: '1' }, { area: 'vocab.json', values: ['"1"', 'a'] }],
    ['a negative id', { a: -1 }, { area: 'vocab.json', values: ['-1', 'a'] }],
    ['an id past all sense', { a: 2 ** 40 }, { area: 'vocab.json', values: ['a'] }],
    ['an id twice', { a: 1, b: 1 }, { area: 'vocab.json', values: ['a', 'b', 1] }],
    ['no unknown', { '</s>': 0, '<pad>': 1 }, { area: 'source.spm', values: [2, '<unk>', 'unknown'] }],
  ])('a vocabulary with %s', (_, wrong, expected) => {
    const make = () => new SentencePieceTokenizer({ file: sourceFile, name: 'source.spm', vocab: wrong });
    expect(make).toThrow(errorAbout(expected));
  });

  it.each<[string, object, ExpectedError]>([
    ['no file', { file: undefined }, { area: 'tokenizer.json', values: ['SentencePiece'] }],
    ['no base64', { file: '%%' }, { area: 'tokenizer.json' }],
    ['another file', { file: 'AAAA' }, { area: 'tokenizer.json', values: [0] }],
    ['a size of text', { size: 'x' }, { area: 'tokenizer.json' }],
    ['no special ids', { special: null }, { area: 'tokenizer.json' }],
  ])('a tokenizer.json with %s', (_, change, expected) => {
    const json = source.toJSON();
    expect(() => loadTokenizer({ ...json, model: { ...(json.model as object), ...change } })).toThrow(
      errorAbout(expected),
    );
  });
});
