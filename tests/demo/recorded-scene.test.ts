// The recorded scene of the moving picture is that of the model English to Spanish that ships with the pages:
// `npx vitest run --project cpu tests/demo/recorded-scene.test.ts -u` records it again.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Scene, sceneOf, shortScene } from '../../demo/picture/scene.ts';
import { lengthOf, stageAt, stagesOf } from '../../demo/picture/timeline.ts';
import { loadModel } from '../../src/entries/heddle.node.ts';

const demo = join(import.meta.dirname, '../../demo');
const sentence = 'The cat is sleeping on the sofa.';

it('shows the numbers of the shipped model', async () => {
  const model = await loadModel(join(demo, 'models/en-es-general.safetensors'), { device: 'cpu' });
  const found = await model.inspect(sentence, { tensors: true });
  const scene = shortScene(sceneOf(found));
  await expect(`${scene}\n`).toMatchFileSnapshot(join(demo, 'picture/recorded-scene.json'));
  const { source, target, encoder, decoder, next }: Scene = JSON.parse(scene);
  expect(encoder.memory).toHaveLength(source.length);
  expect(encoder.layers.every(({ out }) => out.length === source.length)).toBe(true);
  expect(decoder.layers.every(({ out, cross }) => out.length === target.length && cross)).toBe(true);
  expect(next.map(([best]) => best?.[0]).slice(0, -1)).toEqual(target.slice(1));
});

it('passes each stage once, in order', () => {
  const rows = [[1, 2]];
  const layer = { self: [rows], cross: [rows], out: rows };
  const stages = stagesOf({
    source: ['a', '[end]'],
    text: 'b',
    target: ['[start]', 'b'],
    encoder: { embedding: rows, layers: [{ self: [rows], out: rows }], memory: rows },
    decoder: { embedding: rows, layers: [layer, layer] },
    next: [[['b', 1]], [['[end]', 1]]],
  });
  const seen = new Set<number>();
  for (let time = 0; time < lengthOf(stages); time += 20) seen.add(stageAt(stages, time).index);
  expect([...seen]).toEqual([...stages.keys()]);
  expect(stageAt(stages, lengthOf(stages) + 1)).toEqual({ index: stages.length - 1, passed: 1 });
  expect(stages.filter(({ kind }) => kind === 'cross')).toHaveLength(4);
});
