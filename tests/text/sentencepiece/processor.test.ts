// SentencePiece compared with python3-sentencepiece: its results for five small models are stored; if it is
// installed, it also encodes with models that it trains here on real text.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSentencePiece } from '../../../src/text/sentencepiece/processor.ts';
import { decodeIds } from '../../support/sentencepiece.ts';
import { hasTatoeba, tatoeba, tatoebaSide } from '../../support/text.ts';

const fixtures = resolve(import.meta.dirname, '../../fixtures');
const folder = join(fixtures, 'sentencepiece');

interface Answers {
  readonly ids: number[][];
  readonly pieces?: string[][];
  readonly decoded: string[];
  readonly normalized: string[];
  readonly random: { ids: number[]; text: string }[];
}

/** Compares a model with the output of SentencePiece; reports the first difference with its text. */
function compare(path: string, texts: readonly string[], answers: Answers): void {
  const sp = openSentencePiece(readFileSync(path), path);
  for (const [i, text] of texts.entries()) {
    const found = sp.encode(text);
    const ids = found.map((piece) => piece.id);
    const [normal, decoded] = [sp.normalize(text), decodeIds(sp, ids)];
    const theirs = { normal: answers.normalized[i], ids: answers.ids[i], decoded: answers.decoded[i] };
    same({ text, normal, ids, decoded }, { text, ...theirs });
    if (answers.pieces)
      same(
        found.map((piece) => piece.text),
        answers.pieces[i],
      );
  }
  for (const { ids, text } of answers.random) same({ ids, text: decodeIds(sp, ids) }, { ids, text });
}

/** `toEqual` for thousands of results: comparing their JSON takes a tenth of the time. */
function same(ours: unknown, theirs: unknown): void {
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) expect(ours).toEqual(theirs);
}

const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
const names = readdirSync(folder).filter((name) => name.endsWith('.model'));

it.each(names)('gives the ids and texts of SentencePiece with %s', (name) => {
  compare(join(folder, name), expected.texts, expected[name.replace('.model', '')]);
});

it('round-trips any text with byte fallback and without normalization', () => {
  const sp = openSentencePiece(readFileSync(join(folder, 'bpe-bytes.model')));
  const text = fc.string({
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom(' ', 'th', 'e', 'á'),
    ),
  });
  fc.assert(
    fc.property(text, (any) => {
      // The mark of a space is the one character that does not come back.
      const kept = any.replaceAll('\u2581', '');
      const ids = sp.encode(kept).map((piece) => piece.id);
      expect(decodeIds(sp, ids)).toBe(kept);
    }),
    { numRuns: 100 },
  );
});

const python = '/usr/bin/python3';
const hasReference = spawnSync(python, ['-c', 'import sentencepiece']).status === 0;
const script = join(fixtures, 'spm.py');

describe.skipIf(!hasReference || !hasTatoeba)(
  'compared with SentencePiece (needs python3-sentencepiece and ../shared/data)',
  () => {
    const trained = join(tmpdir(), `heddle-spm-${process.pid}`);
    const large = ['bpe-casefold', 'unigram-nfkc', 'unigram-large'];
    const run = (args: string[], input = ''): string => {
      const { status, stdout, stderr } = spawnSync(python, [script, ...args], {
        input,
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      expect(`${status} ${status === 0 ? '' : stderr}`).toBe('0 ');
      return stdout;
    };
    beforeAll(() => {
      mkdirSync(trained);
      run(['train', tatoeba, trained, ...large]);
    }, 240_000);
    afterAll(() => rmSync(trained, { recursive: true }));

    const sides = () =>
      [0, 1].flatMap((side) => tatoebaSide(side as 0 | 1).filter((_, i) => i % 97 === side));
    it.each([
      ...names.map((name) => join(folder, name)),
      ...large.map((name) => join(trained, `${name}.model`)),
    ])(
      'gives the same, by %s',
      (path) => {
        const texts = [...expected.texts, ...sides()];
        compare(path, texts, JSON.parse(run(['answer', path], JSON.stringify(texts))));
      },
      240_000,
    );
  },
);
