// Training that goes on from a BART or MarianMT folder, as heddle train --init does it, on the CPU's references: the model keeps its
// configuration, tokenizers and rules, and goes back to where it came from.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSafetensorsHeader } from '../../src/files/safetensors.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { parameterList } from '../../src/model/parameters.ts';
import type { ArgumentsOf, JobName } from '../../src/run/jobs.ts';
import { runJob } from '../../src/run/run-job.ts';
import type { TrainArguments } from '../../src/train/train-arguments.ts';
import { fineTuning } from '../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-start-'));
const at = (name: string) => join(folder, name);
const files = nodeFiles();
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const fixture = (name: string) => join(import.meta.dirname, '../fixtures/hf', name);

const run = <N extends JobName>(name: N, args: ArgumentsOf<N>) => runJob(name, args, { host: 'cpu' });
const train = (fields: Partial<TrainArguments>) =>
  run('train', {
    ...fineTuning({ steps: 6, heldOut: 0, schedule: 'constant', learningRate: 3e-2 }),
    corpus: { kind: 'tsv', path: at('pairs.tsv') },
    ...fields,
  });

// The references are slow where the machine has more to do.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(() => {
  // Each source of ids has its own answer; those of BART are below 23.
  const pairs = Array.from({ length: 24 }, (_, i) => `${3 + (i % 6)} ${4 + (i % 4)}\t${14 + (i % 6)} ${11 + (i % 4)}`);
  writeFileSync(at('pairs.tsv'), pairs.join('\n'));
  for (const name of ['marian', 'bart']) cpSync(fixture(name), at(name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a training from a MarianMT folder', () => {
  it('learns, and goes back as the same model in float32', async () => {
    const { losses } = await train({ init: at('marian'), out: at('tuned'), steps: 12 });
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
    const [before, after] = [await loadModelFolder(files, at('marian')), await loadModelFolder(files, at('tuned'))];
    expect(after.config).toEqual(before.config);
    expect(after.decode).toEqual(before.decode);
    expect(after.source.encode('4 5')).toEqual([4, 5]);
    await run('convert', { folder: at('tuned'), out: at('back'), to: 'marian' });
    expect(json(at('back/config.json'))).toEqual({ ...json(fixture('marian/config.json')), torch_dtype: 'float32' });
    const file = new Uint8Array(readFileSync(at('back/model.safetensors')));
    const dtypes = Object.values(readSafetensorsHeader(file, file.length).entries).map((entry) => entry.dtype);
    expect(new Set(dtypes)).toEqual(new Set(['F32']));
    const back = await loadModelFolder(files, at('back'));
    expect(back.weights).toEqual(after.weights);
    expect(back.weights).not.toEqual(before.weights);
    // The start token is padding: its vector is read at the first position, so it has learnt.
    const { offset } = parameterList(before.config).byName.get('src_embed.weight')!;
    const vector = (w: Float32Array) => w.subarray(offset + 30 * 12, offset + 31 * 12);
    expect(vector(back.weights)).not.toEqual(vector(before.weights));
  });

  it('in two parts ends as one in one does, where the folder that it began from is gone', async () => {
    cpSync(at('marian'), at('lent'), { recursive: true });
    await train({ init: at('lent'), out: at('whole') });
    await train({ init: at('lent'), out: at('parts'), steps: 3 });
    rmSync(at('lent'), { recursive: true });
    await train({ out: at('parts'), resume: true, steps: 6 });
    // The references compute in float64 and a checkpoint holds float32; Adam makes of 6e-8 some times as much.
    const [parts, whole] = [await loadModelFolder(files, at('parts')), await loadModelFolder(files, at('whole'))];
    const off = parts.weights.reduce((most, x, i) => Math.max(most, Math.abs(x - (whole.weights[i] as number))), 0);
    expect(off).toBeLessThan(1e-4);
    expect(json(at('parts/config.json'))).toEqual(json(at('whole/config.json')));
  });
});

it('takes other rates of dropout and of label smoothing, which go back where they can', async () => {
  const model = { dropout: 0.25, labelSmoothing: 0.1 };
  await train({ init: at('bart'), out: at('smooth'), steps: 1, model });
  expect((await loadModelFolder(files, at('smooth'))).config).toMatchObject({
    labelSmoothing: 0.1,
    dropout: { embedding: 0.25, attention: 0.25, feedForward: 0.25, residual: 0.25 },
  });
  await run('convert', { folder: at('smooth'), out: at('smooth-bart'), to: 'bart' });
  const rates = { dropout: 0.25, attention_dropout: 0.25, activation_dropout: 0.25 };
  expect(json(at('smooth-bart/config.json'))).toEqual({ ...json(fixture('bart/config.json')), ...rates });
});

it('refuses by name what the model has decided, and dropping of layers', async () => {
  const wrong = train({ init: at('bart'), model: { dModel: 16, norm: 'pre', dropout: 0.1 } });
  await expect(wrong).rejects.toThrow(
    `the model in ${at('bart')} has its own dModel, norm; only dropout and labelSmoothing may be set`,
  );
  cpSync(at('bart'), at('dropping'), { recursive: true });
  const config = json(at('dropping/config.json'));
  writeFileSync(at('dropping/config.json'), JSON.stringify({ ...config, encoder_layerdrop: 0.1 }));
  await expect(train({ init: at('dropping'), out: at('none') })).rejects.toThrow(
    'encoder_layerdrop is 0.1; training with layer dropout is not supported',
  );
  expect(existsSync(at('none'))).toBe(false);
});
