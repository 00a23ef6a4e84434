// A training run before its first step: resumed settings, length, and initialization from BART and
// MarianMT folders.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandJob } from '../../../src/commands/remote/command-job.ts';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { features } from '../../../src/features/features.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { readSafetensorsHeader } from '../../../src/files/safetensors.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { emitTo } from '../../../src/session/session-event.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import { openCheckpoint } from '../../../src/train/run/open-checkpoint.ts';
import { prepareRun } from '../../../src/train/run/prepared-run.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import { reportStart } from '../../../src/train/run/start-messages.ts';
import { openBase } from '../../../src/train/run/start-model.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { EngineSession } from '../../support/session.ts';
import { fineTuning, tinyCorpus, tinyTraining } from '../../support/training.ts';

const write = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** Sets up a run on the tiny corpus, or one that resumes from a state.json; returns its messages too. */
async function prepared(args: TrainArguments, state?: object) {
  const files = memoryFiles();
  await files.write('pairs.tsv', write(tinyCorpus));
  const told: string[] = [];
  const emit = emitTo((event: JobEvent) => void ('text' in event && told.push(event.text)));
  const session = { files, emit, features };
  if (state) {
    const { data, parameters } = await prepareRun(
      tinyTraining({ corpus: args.corpus, steps: 1 }),
      session,
      undefined,
    );
    await saveModelFolder(files, 'm', { ...data, weights: new Float32Array(parameters.size) });
    await files.write('m/state.json', write({ version: 1, step: 3, ...state }));
  }
  const checkpoint = state && (await openCheckpoint({ files, folder: 'm' }));
  const run = await prepareRun(args, session, checkpoint);
  reportStart(run, args, session);
  return { ...run, told };
}

/** A training without a number of steps. */
function byEpochs(fields: Partial<TrainArguments>): TrainArguments {
  const { steps: _, ...rest } = tinyTraining(fields);
  return rest;
}
const again = ({ steps, ...fields }: Partial<TrainArguments>): TrainArguments => ({
  ...byEpochs({ resume: true, ...fields }),
  steps,
});

it("has the parameters of Keras's example, however few words there are", async () => {
  const words = { tokenizer: 'word', vocabSize: 15_000, fillVocab: true } as const;
  const { parameters, told } = await prepared(tinyTraining({ preset: 'keras', model: {}, ...words }));
  expect(parameters.count).toBe(19_960_216);
  expect(told.at(-1)).toContain('vocabularies of 15000 and 15000 tokens, 19,960,216 parameters');
});

it('keeps case unless asked, with every tokenizer, in the recipe of the command and of the library', async () => {
  for (const tokenizer of ['word', 'char', 'bpe'] as const) {
    const size = { tokenizer, vocabSize: 300 };
    const { data } = await prepared(tinyTraining(size));
    expect(data.source.normalize('AbC')).toBe('AbC');
    expect((await prepared(tinyTraining({ ...size, lowercase: true }))).data.target.normalize('AbC')).toBe(
      'abc',
    );
  }
  const keras = { preset: 'keras', model: {}, tokenizer: 'word' } as const;
  expect((await prepared(tinyTraining(keras))).data.source.normalize('AbC')).toBe('abc');
  expect((await prepared(tinyTraining({ ...keras, lowercase: false }))).data.source.normalize('AbC')).toBe(
    'AbC',
  );
});

it.each(['all', 'embeddings'] as const)('trains one tokenizer for both sides if tie is %s', async (tie) => {
  const { data } = await prepared(tinyTraining({ tokenizer: 'word', model: { dModel: 16, heads: 2, tie } }));
  expect(data.target).toBe(data.source);
  expect(data.config).toMatchObject({ tie, tgtVocab: data.config.srcVocab });
});

it('says the share of unknown tokens, and warns of more than 2 %', async () => {
  const { told } = await prepared(tinyTraining({ tokenizer: 'bpe', vocabSize: 300 }));
  expect(told.at(-1)).toMatch(/; unknown tokens: 0\.0 % of the source, 0\.0 % of the target$/);
  const few = await prepared(tinyTraining({ tokenizer: 'word', vocabSize: 8 }));
  expect(few.told.at(-1)).toMatch(/^more than 2 % unknown tokens: \d+\.\d % of the source/);
});

it('leaves pairs above the maximum length out, or cuts them', async () => {
  const short = { tokenizer: 'char', maxLength: 6 } as const;
  const { told: said } = await prepared(tinyTraining(short));
  const [, left, all] =
    /^(\d+) of (\d+) pairs skipped: 75 longer than 6 source or 6 target tokens/.exec(said[0] as string) ?? [];
  // The line after it has the number of the others, which are trained on.
  expect(said[1]).toMatch(new RegExp(`^${Number(all) - Number(left)} training pairs,`));
  const { data, told } = await prepared(tinyTraining({ ...short, truncate: true }));
  expect([data.config.maxLength, data.corpus.tooLong]).toEqual([16, 0]); // the model has its own positions
  expect(told[0]).toMatch(/pairs cut to 6 source or 6 target tokens/);
});

describe('a resumed run', () => {
  it('continues to the planned step, or to other steps or epochs', async () => {
    const state = { arguments: tinyTraining({ steps: 40 }) };
    expect((await prepared(again({}), state)).steps).toBe(40);
    expect((await prepared(again({ steps: 50 }), state)).steps).toBe(50);
    const { steps, perEpoch } = await prepared(again({ epochs: 7 }), state);
    expect(steps).toBe(7 * perEpoch);
  });

  it('has as many updates as its epochs have batches for, with any gradient accumulation', async () => {
    const of = async (epochs: number, gradientAccumulationSteps: number) =>
      (await prepared(byEpochs({ epochs, gradientAccumulationSteps, heldOut: 0 }))).steps;
    // 96 pairs in batches of 8.
    expect([await of(1, 1), await of(3, 1), await of(1, 5), await of(3, 5), await of(5, 5)]).toEqual([
      12, 36, 3, 8, 12,
    ]);
  });

  it('says that the warm-up is longer than the run', async () => {
    const warm = { schedule: 'constant', warmupSteps: 40, steps: 9 } as const;
    expect((await prepared(tinyTraining(warm))).told.at(-1)).toMatch(
      /the warm-up of 40 steps is longer than the run of 9: .*warmupSteps/,
    );
  });

  it('warns if its schedule ends at another step than before', async () => {
    const args = (steps: number) => tinyTraining({ steps, schedule: 'cosine', warmupSteps: 0 });
    const { update } = await prepared(args(4));
    const state = { schedule: update.schedule, arguments: args(4) };
    const cosine = { schedule: 'cosine', warmupSteps: 0 } as const;
    const { told } = await prepared(again({ steps: 9, ...cosine }), state);
    expect(told.at(-1)).toMatch(/the cosine schedule now ends at step 9, before it was 4: .*scheduleSteps 9/);
    expect((await prepared(again({ steps: 4, ...cosine }), state)).told.at(-1)).toMatch(/training pairs/);
  });

  it('resumes with phrases of another Unicode CLDR, with a warning', async () => {
    const corpus = { kind: 'intl', source: 'en', target: 'es', pairs: 60, seed: 1 } as const;
    const { fingerprint } = await prepared(tinyTraining({ corpus }));
    const state = (hash: string) => ({ data: { ...fingerprint, hash }, arguments: tinyTraining({ corpus }) });
    const told = async (hash: string) => (await prepared(again({ corpus }), state(hash))).told.join('\n');
    expect(await told(fingerprint.hash)).not.toMatch(/another version/);
    expect(await told('0')).toMatch(
      new RegExp(`^the built-in corpus has another version: .*both ${fingerprint.pairs}\\)`, 'm'),
    );
  });

  it('is rejected if its state has no training settings', async () => {
    await expect(prepared(again({ out: 'm' }), {})).rejects.toThrow(
      errorAbout({ area: 'm', values: ['state.json'] }),
    );
  });
});

describe('initialization from an HF folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-start-'));
  const at = (name: string) => join(folder, name);
  const files = nodeFiles();
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/hf', name);

  const run = <A, R>(job: CommandJob<A, R>, args: A) => runJob(job, args, { host: 'cpu' });
  const train = (fields: Partial<TrainArguments>) =>
    run(jobs.train, {
      ...fineTuning({ steps: 6, heldOut: 0, schedule: 'constant', learningRate: 3e-2 }),
      corpus: { kind: 'tsv', path: at('pairs.tsv') },
      ...fields,
    });

  // The references are slow on a busy machine.

  beforeAll(() => {
    // Each source of ids has its own answer; those of BART are below 23.
    const pairs = Array.from(
      { length: 24 },
      (_, i) => `${3 + (i % 6)} ${4 + (i % 4)}\t${14 + (i % 6)} ${11 + (i % 4)}`,
    );
    writeFileSync(at('pairs.tsv'), pairs.join('\n'));
    for (const name of ['marian', 'bart']) cpSync(fixture(name), at(name), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe('from a MarianMT folder', () => {
    it('trains, and converts back to the same model in float32', async () => {
      const { losses } = await train({ init: at('marian'), out: at('tuned'), steps: 12 });
      expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
      const [before, after] = [
        await loadModelFolder(files, at('marian')),
        await loadModelFolder(files, at('tuned')),
      ];
      expect(after.config).toEqual(before.config);
      expect(after.decode).toEqual(before.decode);
      expect(after.source.encode('4 5')).toEqual([4, 5]);
      await run(jobs.convert, { folder: at('tuned'), out: at('back'), to: 'marian' });
      expect(json(at('back/config.json'))).toEqual({
        ...json(fixture('marian/config.json')),
        torch_dtype: 'float32',
      });
      const file = new Uint8Array(readFileSync(at('back/model.safetensors')));
      const dtypes = Object.values(readSafetensorsHeader(file, file.length).entries).map(
        (entry) => entry.dtype,
      );
      expect(new Set(dtypes)).toEqual(new Set(['F32']));
      const back = await loadModelFolder(files, at('back'));
      expect(back.weights).toEqual(after.weights);
      expect(back.weights).not.toEqual(before.weights);
      // The start token is padding: its vector is read at the first position, so it is trained.
      const { offset } = parameterList(before.config).byName.get('src_embed.weight')!;
      const vector = (w: Float32Array) => w.subarray(offset + 30 * 12, offset + 31 * 12);
      expect(vector(back.weights)).not.toEqual(vector(before.weights));
    });

    it('resumes to the same result after the initial folder is deleted', async () => {
      cpSync(at('marian'), at('lent'), { recursive: true });
      await train({ init: at('lent'), out: at('whole') });
      await train({ init: at('lent'), out: at('parts'), steps: 3 });
      rmSync(at('lent'), { recursive: true });
      await train({ out: at('parts'), resume: true, steps: 6 });
      // The references compute in float64 and a checkpoint holds float32; Adam makes of 6e-8 some times as
      // much.
      const [parts, whole] = [
        await loadModelFolder(files, at('parts')),
        await loadModelFolder(files, at('whole')),
      ];
      const difference = parts.weights.reduce(
        (largest, x, i) => Math.max(largest, Math.abs(x - (whole.weights[i] as number))),
        0,
      );
      expect(difference).toBeLessThan(1e-4);
      expect(json(at('parts/config.json'))).toEqual(json(at('whole/config.json')));
    });
  });

  it('takes other dropout and label smoothing rates, and exports them if the format can store them', async () => {
    const model = { dropout: 0.25, labelSmoothing: 0.1 };
    await train({ init: at('bart'), out: at('smooth'), steps: 1, model });
    expect((await loadModelFolder(files, at('smooth'))).config).toMatchObject({
      labelSmoothing: 0.1,
      dropout: { embedding: 0.25, attention: 0.25, feedForward: 0.25, residual: 0.25 },
    });
    await run(jobs.convert, { folder: at('smooth'), out: at('smooth-bart'), to: 'bart' });
    const rates = { dropout: 0.25, attention_dropout: 0.25, activation_dropout: 0.25 };
    expect(json(at('smooth-bart/config.json'))).toEqual({ ...json(fixture('bart/config.json')), ...rates });
  });

  it('takes a rate for all places of T5, and exports it', async () => {
    const t5 = {
      model_type: 't5',
      vocab_size: 23,
      d_model: 8,
      d_kv: 4,
      num_heads: 2,
      num_layers: 1,
      d_ff: 16,
    };
    mkdirSync(at('t5'));
    writeFileSync(at('t5/config.json'), JSON.stringify(t5));
    await train({ init: at('t5'), out: at('smooth-t5'), steps: 1, dropout: 0.25 });
    const { dropout } = (await loadModelFolder(files, at('smooth-t5'))).config;
    expect(Object.values(dropout)).toEqual(Array(6).fill(0.25));
    await run(jobs.convert, { folder: at('smooth-t5'), out: at('back-t5'), to: 't5' });
    expect(json(at('back-t5/config.json'))).toMatchObject({ ...t5, dropout_rate: 0.25 });
  });

  it('reads a base that is quantized in parts, and trains the adapter as on weights in memory', async () => {
    await run(jobs.convert, { folder: at('bart'), out: at('own'), to: 'heddle' });
    const session = new EngineSession(files, async () => cpuEngine());
    const trained: Float32Array[] = [];
    for (const name of ['bart', 'own']) {
      const args = {
        ...fineTuning({ steps: 2, heldOut: 0, init: at(name), lora: { rank: 2 }, weights: 'int8' }),
        corpus: { kind: 'tsv', path: at('pairs.tsv') },
      } as const;
      const inputs = { model: await openBase(args, session) };
      const { start } = await prepareRun(args, session, undefined, inputs);
      expect(start?.weights.length === 0).toBe(name === 'bart');
      const { model, lora } = await runTraining(args, session, inputs);
      trained.push((await model()).weights, lora as Float32Array);
    }
    expect(trained[0]).not.toEqual((await loadModelFolder(files, at('bart'))).weights);
    expect(trained.slice(0, 2)).toEqual(trained.slice(2));
  });

  it('rejects settings that the folder fixes, and layer dropping', async () => {
    const wrong = train({ init: at('bart'), model: { dModel: 16, norm: 'pre', dropout: 0.1 } });
    await expect(wrong).rejects.toThrow(
      errorAbout({
        area: 'train',
        options: ['dModel', 'norm', 'dropout', 'labelSmoothing'],
        values: [expect.stringMatching(/\bbart$/)],
      }),
    );
    cpSync(at('bart'), at('dropping'), { recursive: true });
    const config = json(at('dropping/config.json'));
    writeFileSync(at('dropping/config.json'), JSON.stringify({ ...config, encoder_layerdrop: 0.1 }));
    // Also if its weights are read in parts.
    for (const packed of [{}, { lora: { rank: 2 }, weights: 'int8' }] as const)
      await expect(train({ init: at('dropping'), out: at('none'), ...packed })).rejects.toThrow(
        errorAbout({ area: expect.stringMatching(/\bdropping$/), values: ['encoder_layerdrop', '0.1'] }),
      );
    expect(existsSync(at('none'))).toBe(false);
  });
});
