// Neighbours of an embedding: words of one kind are near each other.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { neighboursOf } from '../../demo/toys/neighbours.ts';
import { loadModel } from '../../src/entries/heddle.node.ts';

it('finds words of the same kind beside a word', async () => {
  const file = join(import.meta.dirname, '../../demo/models/en-es-general.safetensors');
  const model = await loadModel(file, { device: 'cpu' });
  const [id = 0] = model.tokenizers.source.encode('Monday');
  const found = neighboursOf(model, id, 6);
  expect(found).toHaveLength(6);
  expect(found.filter(({ label }) => /day$/.test(label)).length).toBeGreaterThanOrEqual(2);
  expect(found.map(({ cosine }) => cosine)).toEqual(found.map(({ cosine }) => cosine).sort((a, b) => b - a));
  expect(found.every(({ label }) => label.trim() !== 'Monday')).toBe(true);
});
