// The files of the two programs: complete, with the settings of the run, and refused for models that PyTorch's lacks.
import { expect, it } from 'vitest';
import { takeAwayFiles } from '../../../../src/features/pytorch/take-away/take-away-files.ts';
import type { SavedModel } from '../../../../src/formats/shared/saved-model.ts';
import { initializeWeights } from '../../../../src/model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../../../src/model/model-config.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { trainWords } from '../../../support/tokenizers.ts';

const pairs = [
  { source: 'a cat', target: 'un gato' },
  { source: '', target: 'nada' },
];
function model(more: Partial<ModelOptions> = {}): SavedModel {
  const source = trainWords(['a cat'], { size: 20 });
  const target = trainWords(['un gato nada'], { size: 20 });
  const sizes = { dModel: 8, heads: 2, feedForward: 8, maxLength: 16 };
  const config = modelConfig({ srcVocab: source.size, tgtVocab: target.size, ...sizes, ...more });
  return { config, source, target, weights: initializeWeights(config, parameterList(config), 1) };
}
const library = new TextEncoder().encode('export const x = 1;');
const read = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

it('has the settings of the run and the pairs that fit', () => {
  const settings = { learningRate: 0.002, schedule: 'linear', steps: 800, batchSize: 64 } as const;
  const files = takeAwayFiles({ name: 'mine', model: model(), pairs, settings, library });
  const program = read(files['program.js']);
  expect(program).toContain('"learningRate": 0.002');
  expect(program).toContain('"scheduleSteps": 800');
  expect(program).toContain('"model.safetensors"');
  expect(Object.values(files).map(read).join('')).not.toMatch(/\b(?:SETTINGS|FILES|UPDATES)\b/);
  expect(JSON.parse(read(files['pairs.json']))).toEqual(pairs.slice(0, 1));
  const plan = JSON.parse(read(files['torch.json']));
  expect(plan).toMatchObject({ updates: 10, schedule: { kind: 'linear', learningRate: 0.002, steps: 800 } });
  expect(plan.target).toHaveLength(1);
});

it('refuses a model that the program of PyTorch does not have', () => {
  const other = { ...model(), config: modelConfig({ ...model().config, decoderSelfAttention: 'ssru' }) };
  expect(() => takeAwayFiles({ name: 'ssru', model: other, pairs, settings: {}, library })).toThrow(
    errorAbout({ values: ['PyTorch', 'decoderSelfAttention'] }),
  );
});

it('has the library and links to it, since npm may lack it', () => {
  const files = takeAwayFiles({ name: 'mine', model: model(), pairs, settings: {}, library });
  expect(files['heddle/heddle.bundle.js']).toBe(library);
  expect(JSON.parse(read(files['package.json'])).dependencies.heddle).toBe('file:./heddle');
  const { name, exports } = JSON.parse(read(files['heddle/package.json']));
  expect(name).toBe('heddle');
  for (const path of Object.values(exports as Record<string, string>))
    expect(files).toHaveProperty([path.replace('./', 'heddle/')]);
});
