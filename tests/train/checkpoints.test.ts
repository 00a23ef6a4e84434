// Trainings that go on where their files are no longer as they were, on the CPU's references.
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runJob } from '../../src/run/run-job.ts';
import type { TrainArguments } from '../../src/train/train-arguments.ts';
import { tinyCorpus, tinyTraining } from '../support/training.ts';

vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'heddle-resume-'));
const at = (name: string) => join(folder, name);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const bytes = (path: string) => readFileSync(path, 'base64');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains on a file in the folder and gives the losses. */
async function train(file: string, fields: Partial<TrainArguments>): Promise<readonly number[]> {
  const corpus = { kind: 'tsv', path: at(file) } as const;
  return (await runJob('train', { ...tinyTraining({ steps: 5, ...fields }), corpus }, { host: 'cpu' })).losses;
}

let rest: readonly number[];

/** A training of 3 steps, in a folder of this name. */
function begun(name: string): string {
  cpSync(at('begun'), at(name), { recursive: true });
  return at(name);
}

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), tinyCorpus);
  await train('pairs.tsv', { out: at('begun'), steps: 3 });
  rest = await train('pairs.tsv', { out: begun('calm'), resume: true });
  expect(rest).toHaveLength(2);
});

it('goes on from a checkpoint whose save was cut off between its two renames', async () => {
  const out = begun('cut');
  renameSync(out, `${out}.previous`);
  expect(await train('pairs.tsv', { out, resume: true })).toEqual(rest);
  expect(json(join(out, 'state.json')).step).toBe(5);
  expect(existsSync(`${out}.previous`)).toBe(false);
});

it('takes pairs that have moved, and knows where they are from then on', async () => {
  const out = begun('moved');
  cpSync(at('pairs.tsv'), at('elsewhere.tsv'));
  expect(await train('elsewhere.tsv', { out, resume: true })).toEqual(rest);
  expect(json(join(out, 'state.json')).arguments.corpus.path).toBe(at('elsewhere.tsv'));
});

it('refuses other pairs by name, and leaves its checkpoint', async () => {
  const out = begun('refused');
  const lines = tinyCorpus.split('\n');
  const model = bytes(join(out, 'model.safetensors'));
  writeFileSync(at('shorter.tsv'), lines.slice(20).join('\n'));
  await expect(train('shorter.tsv', { out, resume: true })).rejects.toThrow(
    /shorter\.tsv: these are not the pairs that the run started with \(training pairs: \d+ then, \d+ now\); restore the file/,
  );
  writeFileSync(at('other.tsv'), [...lines].reverse().join('\n'));
  await expect(train('other.tsv', { out, resume: true })).rejects.toThrow(/other\.tsv: .*both \d+\).*--init/);
  expect(json(join(out, 'state.json')).step).toBe(3);
  expect(bytes(join(out, 'model.safetensors'))).toBe(model);
});

it('has its tokenizers from its checkpoint, where that is of a version that knew nothing of its pairs', async () => {
  const out = begun('old');
  const { data, ...old } = json(join(out, 'state.json'));
  expect(data).toEqual({ pairs: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{8}$/) });
  writeFileSync(join(out, 'state.json'), JSON.stringify(old));
  const names = ['source-tokenizer.json', 'target-tokenizer.json'].map((name) => join(out, name));
  const before = names.map(bytes);
  // The same words, but other ones are frequent: learnt anew, the vocabulary has the same size and other ids.
  const lines = tinyCorpus.split('\n');
  writeFileSync(at('frequent.tsv'), [...lines, ...Array(9).fill(lines[5])].join('\n'));
  expect(await train('frequent.tsv', { out, resume: true })).toHaveLength(2);
  expect(names.map(bytes)).toEqual(before);
  await train('frequent.tsv', { out: at('anew'), steps: 1 });
  const anew = join(at('anew'), 'target-tokenizer.json');
  expect(bytes(anew)).not.toBe(before[1]);
  expect(Object.keys(json(anew).model.vocab)).toHaveLength(Object.keys(json(names[1] as string).model.vocab).length);
});
