// The words that a model is not sure of, and the pairs from which it learns.
import { expect, it } from 'vitest';
import { doubtfulWords } from '../../../demo/common/doubtful-words.ts';
import { splitCorrections } from '../../../demo/documents/worker/learn.ts';

it('underlines the words that have an improbable token', () => {
  const tokens = [
    ['▁El', -0.1],
    ['▁gat', -3],
    ['o', -0.1],
    ['▁duerme', -0.2],
    ['.', -5],
    ['</s>', -0.1],
  ].map(([token, logProb], id) => ({ id, token: token as string, logProb: logProb as number }));
  expect(doubtfulWords('El gato duerme.', tokens)).toEqual([[3, 7]]);
  expect(doubtfulWords('', [])).toEqual([]);
});

it('holds pairs of the memory out, or corrections if there is none', () => {
  const list = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ source: `${name} ${i}`, target: `${name} ${i}` }));
  const confirmed = list('c', 50);
  const withMemory = splitCorrections({ confirmed, memory: [...list('m', 100), ...list('c', 5)], own: [] });
  expect(withMemory).toMatchObject({ isOfMemory: true, corrections: confirmed });
  expect(withMemory.heldOut).toHaveLength(20);
  expect(withMemory.rehearsal).toHaveLength(80);
  const trained = new Set([...withMemory.corrections, ...withMemory.rehearsal].map(({ source }) => source));
  for (const { source } of withMemory.heldOut) expect(trained.has(source)).toBe(false);
  const without = splitCorrections({ confirmed, memory: [], own: list('o', 500) });
  expect(without.isOfMemory).toBe(false);
  expect(without.heldOut).toHaveLength(12);
  expect(without.corrections).toHaveLength(38);
  expect(without.rehearsal).toHaveLength(114);
});
