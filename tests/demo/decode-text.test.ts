// Translations of texts of several sentences, with a model that reverses words.
import { expect, it } from 'vitest';
import type { PieceEvent } from '../../demo/train/protocol.ts';
import { type LoadedModel, translateText } from '../../demo/train/worker/decode-text.ts';
import type { GenerateOptions, StreamedToken } from '../../src/entries/heddle.ts';

const asked: string[] = [];
const model = {
  config: { endId: 1 },
  tokenizers: { source: { encode: () => [5], special: { unknown: 0 } } },
  translate() {}, // a model of text
  async generate(text: string, { onPiece, attention }: GenerateOptions) {
    asked.push(text);
    const words = text.split(' ');
    const target = words.toReversed();
    for (const [i, word] of target.entries())
      onPiece?.({ id: 7, text: (i ? ' ' : '') + word } as StreamedToken, 0);
    // Each target token attends to one source token.
    const weights = Float32Array.from(
      { length: 2 * target.length * words.length },
      (_, i) => +(i % words.length === 0),
    );
    const maps = { source: words, target, layers: 2, heads: 1, weights };
    return [
      { text: target.join(' '), score: -words.length, ids: words.map(() => 7), attention: attention && maps },
    ];
  },
};
const loaded = { name: 'reverse', model, step: 3 } as unknown as LoadedModel;

async function translate(text: string, options: object) {
  asked.length = 0;
  const pieces: string[] = [];
  const onPiece = ({ text }: PieceEvent) => pieces.push(text);
  const result = await translateText(loaded, text, options, onPiece, new AbortController().signal);
  return { ...result, pieces };
}

it('translates a text as a whole', async () => {
  const { text, sentences, pieces } = await translate('One two. Three.', { attention: true });
  expect(asked).toEqual(['One two. Three.']);
  expect(text).toBe('Three. two. One');
  expect(pieces.join('')).toBe(text);
  expect(sentences).toEqual([{ source: 'One two. Three.', target: text }]);
});

it('translates sentence by sentence, with their white space', async () => {
  const { text, sentences, pieces, candidates } = await translate('One two.\n\nThree.', { bySentence: true });
  expect(asked).toEqual(['One two.', 'Three.']);
  expect(text).toBe('two. One\n\nThree.');
  expect(pieces.join('')).toBe(text);
  expect(sentences.map(({ target }) => target)).toEqual(['two. One', 'Three.']);
  expect(candidates).toMatchObject([{ score: -1.5, ids: [7, 7, 7] }]);
});

it('returns the attention of each sentence', async () => {
  const { candidates } = await translate('a b. C d e.', { bySentence: true, attention: true });
  const maps = candidates[0]?.attention ?? [];
  expect(maps.map(({ source, target }) => [source, target])).toEqual([
    [
      ['a', 'b.'],
      ['b.', 'a'],
    ],
    [
      ['C', 'd', 'e.'],
      ['e.', 'd', 'C'],
    ],
  ]);
  expect(maps.map(({ weights }) => weights.length)).toEqual([8, 18]);
});
