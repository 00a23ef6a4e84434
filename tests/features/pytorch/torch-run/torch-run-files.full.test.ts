// All optimizers, schedules and model options, and a model of each family: some updates in heddle, some in
// PyTorch, and some in heddle again have the losses of an uninterrupted run. Without Debian's python3-torch
// nothing of it is covered.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { jsonBytes } from '../../../../src/files/json-files.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { readSafetensors } from '../../../../src/files/safetensors.ts';
import { writeSafetensors } from '../../../../src/files/write-safetensors.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import type { CorpusArguments } from '../../../../src/train/data/corpus-arguments.ts';
import { historyOf, type LogStart, parseLog } from '../../../../src/train/report/training-log.ts';
import type { BestState } from '../../../../src/train/run/best-model.ts';
import { readTrainingState } from '../../../../src/train/run/training-state.ts';
import type { TrainArguments } from '../../../../src/train/settings/train-arguments.ts';
import type { TrainSettings } from '../../../../src/train/settings/train-settings.ts';
import { optimizerNames } from '../../../../src/train/update/optimizer-config.ts';
import { scheduleNames } from '../../../../src/train/update/schedule.ts';
import { loadModelFolder } from '../../../support/load-folder.ts';
import { learnedPositions } from '../../../support/model.ts';
import { hasTorch, python } from '../../../support/python.ts';
import { fairseqPieces, hfSizes, sentencePieceFile } from '../../../support/sentencepiece.ts';
import {
  bothEngines,
  continued,
  type Parts,
  smallRun,
  stepsOf,
  threeParts,
  torchrun,
  toTorchRun,
  train,
  writeIdPairs,
} from './torch-run-support.ts';

vi.setConfig({ testTimeout: 900_000 });
const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
let runs = 0;

const parts: Parts = [4, 8, 10];
/** 40 updates in heddle, 40 in PyTorch, 20 in heddle. */
const long: Parts = [40, 80, 100];

/** Starts and ends of the sessions in the log of a folder. */
function recordsOf(folder: string) {
  const records = parseLog(readFileSync(join(folder, 'log.jsonl'), 'utf8'));
  return { starts: records.filter((r): r is LogStart => r.type === 'start'), ends: historyOf(records).ends };
}

async function difference(settings: TrainSettings, corpus = smallRun.corpus): Promise<number> {
  const given = { ...smallRun, ...settings, model: { ...smallRun.model, ...settings.model }, corpus };
  if (settings.init)
    for (const name of ['model', 'vocabSize'] as const) delete (given as TrainSettings)[name];
  return (await threeParts(join(scratch, `${runs++}`), given, long)).difference;
}

describe.runIf(hasTorch)('in PyTorch (needs python3-torch)', () => {
  const optimizerSettings = (optimizer: (typeof optimizerNames)[number]): TrainSettings => {
    const decay = optimizer === 'rmsprop' ? {} : { weightDecay: 0.05 };
    return { optimizer, learningRate: 0.01, emaDecay: 0.8, schedule: 'constant', ...decay };
  };

  it.each(optimizerNames)('optimizer %s', async (optimizer) => {
    const found = await difference(optimizerSettings(optimizer));
    console.log(`| ${optimizer} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  // At a factor of 1 for noam, training amplifies rounding: float32 and float64 of PyTorch differ by 1e-1
  // after 60 updates. So that factor is below, from the same checkpoint.
  it.each(scheduleNames)('schedule %s', async (schedule) => {
    // The formula of noam gives 0.16 times the rate here after the warm-up, about the rate of the others.
    const found = await difference({
      schedule,
      warmupSteps: 5,
      learningRate: schedule === 'noam' ? 0.05 : 0.01,
    });
    console.log(`| ${schedule} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  it.each([
    ['one process without torchrun', 0, []],
    ['three processes and more gradient accumulation', 3, ['--micro-batch', '2']],
    ['more processes than rows', 4, []],
  ] as const)('%s', async (name, processes, options) => {
    const settings = {
      batchSize: processes === 4 ? 3 : 8,
      gradientAccumulationSteps: 2,
      clipNorm: 0.1,
      labelSmoothing: 0.2,
    };
    const given = { ...smallRun, ...settings, optimizer: 'sgd', learningRate: 0.5 } as const;
    const found = await threeParts(join(scratch, `${runs++}`), given, parts, { processes, options });
    console.log(`| ${name} | ${found.difference.toExponential(1)} |`);
    expect(found.difference).toBeLessThan(1e-3);
  });

  it('carries the loss scale of f16, and has the fields of the log', async () => {
    const given = {
      ...smallRun,
      precision: 'f16',
      lossScaleGrowth: 3,
      evalSteps: 2,
      devSentences: 0,
    } as const;
    const { whole, out } = await threeParts(join(scratch, `${runs++}`), given, parts);
    const [a, b] = [stepsOf(whole), stepsOf(out)];
    expect(b.map(({ lossScale }) => lossScale)).toEqual(a.map(({ lossScale }) => lossScale));
    expect(b.at(-1)?.lossScale).toBe(2 ** 19);
    for (const field of ['step', 'tokens', 'accuracy', 'learningRate'] as const)
      for (const [i, r] of b.entries()) expect(r[field], field).toBeCloseTo(a[i]?.[field] as number, 5);
    for (const [i, r] of b.entries())
      expect(r.gradientNorm / (a[i]?.gradientNorm as number)).toBeCloseTo(1, 2);
    expect(Object.keys(b[5] ?? {}).sort()).toEqual(Object.keys(b[1] ?? {}).sort());
    const { starts, ends } = recordsOf(out);
    expect(
      starts.map(({ step, steps, backend }) => [step, steps, /^torch .* gloo x2$/.test(backend)]),
    ).toEqual([
      [0, 4, false],
      [4, 8, true],
      [8, 10, false],
    ]);
    expect(ends.map(({ reason, step }) => [reason, step])).toEqual([
      ['done', 4],
      ['done', 8],
      ['done', 10],
    ]);
    // The best evaluation before PyTorch is compared with those after it.
    const best = (folder: string) =>
      readTrainingState(nodeFiles(), folder).then((state) => state.best as BestState);
    expect((await best(out)).step).toBe((await best(whole)).step);
    expect((await best(out)).value).toBeCloseTo((await best(whole)).value, 3);
  });

  it('trains with dropout in bf16, is stopped by SIGTERM, and resumes from the checkpoint', async () => {
    const [run, out] = [join(scratch, 'stopped'), join(scratch, 'stopped-torch')];
    await train({ ...smallRun, dropout: 0.1, steps: 4, out: run });
    await toTorchRun(run, out, { steps: 100_000 });
    const { child, ended } = continued(out, 2, ['--dtype', 'bf16', '--save-steps', '5']);
    const stepOf = async () => (await readTrainingState(nodeFiles(), out)).step;
    await vi.waitFor(async () => expect(await stepOf()).toBeGreaterThan(20), {
      timeout: 60_000,
      interval: 200,
    });
    child.kill('SIGTERM');
    await ended;
    const step = await stepOf();
    expect(recordsOf(out).ends.at(-1)).toMatchObject({ reason: 'stopped', step });
    expect(stepsOf(out)).toHaveLength(step);
    expect((await torchrun(out, 2, '--steps', `${step + 3}`))[0]).toBe(0);
    expect(stepsOf(out)).toHaveLength(step + 3);
    expect(stepsOf(out).every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(readdirSync(scratch).filter((name) => /stopped-torch\.(partial|previous)/.test(name))).toEqual([]);
  });

  it('skips an update whose gradients are not finite', async () => {
    const [run, out] = [join(scratch, 'skipped'), join(scratch, 'skipped-torch')];
    await train({ ...smallRun, steps: 4, out: run });
    await toTorchRun(run, out, { steps: 6 });
    const path = join(out, 'model.safetensors');
    const tensors = readSafetensors(new Uint8Array(readFileSync(path)));
    tensors['generator.bias']?.data.fill(Number.POSITIVE_INFINITY);
    writeFileSync(path, writeSafetensors(tensors));
    rmSync(join(out, 'heddle-manifest.json')); // which would name the change
    expect((await torchrun(out, 2))[0]).toBe(0);
    expect(stepsOf(out).slice(4)).toMatchObject([
      { skipped: true, gradientNorm: Number.NaN },
      { skipped: true },
    ]);
    expect(await readTrainingState(nodeFiles(), out)).toMatchObject({ step: 6, skipped: 2 });
  });

  it.each([
    ['adamw', {}],
    ['sgd', { momentum: 0.9 }],
    ['rmsprop', {}],
  ] as const)(
    'shares weights among processes (FSDP2), and recomputes layers, with %s',
    async (optimizer, more) => {
      const args = {
        ...smallRun,
        optimizer,
        ...more,
        batchSize: 5,
        clipNorm: 0.5,
        emaDecay: 0.9,
        learningRate: 1e-3,
      };
      const options = ['--fsdp', '--activation-checkpointing', '--micro-batch', '2'];
      const { difference, found } = await threeParts(at(`fsdp-${optimizer}`), args, [10, 20, 25], {
        options,
      });
      expect(found).toHaveLength(25);
      expect(difference).toBeLessThan(1e-4);
    },
  );

  it('has the same updates in float64 with any number of processes, DDP and FSDP2, if some have no rows', async () => {
    // The last batch of an epoch has one row, so that all processes but one have none.
    const given = { ...smallRun, batchSize: 6, heldOut: 0, corpus: { ...smallRun.corpus, pairs: 31 } };
    const optimizer = { optimizer: 'adamw', learningRate: 0.01, emaDecay: 0.9, clipNorm: 0.1 } as const;
    await train({ ...given, ...optimizer, steps: 3, out: at('wide') } as TrainArguments);
    const states: Record<string, Record<string, ArrayLike<number>>> = {};
    for (const [processes, option] of [[1], [2], [3], [2, '--fsdp'], [3, '--fsdp']] as const) {
      const name = `wide-${processes}${option ?? ''}`;
      await toTorchRun(at('wide'), at(name), { steps: 15 });
      const options = ['--dtype', 'f64', ...(option ? [option] : [])];
      expect(await torchrun(at(name), processes, ...options)).toEqual([0, expect.any(String)]);
      const { weights } = await loadModelFolder(nodeFiles(), at(name));
      states[name] = {
        weights,
        losses: stepsOf(at(name)).map(({ loss }) => loss),
        norms: stepsOf(at(name)).map(({ gradientNorm }) => gradientNorm),
      };
    }
    const one = states['wide-1'];
    for (const [name, state] of Object.entries(states))
      for (const [what, numbers] of Object.entries(state)) {
        const wanted = one?.[what] ?? [];
        const largest = Array.from(wanted).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
        const error = Array.from(numbers).reduce((m, x, i) => Math.max(m, Math.abs(x - (wanted[i] ?? 0))), 0);
        // Weights are stored in float32: a float64 difference of 1e-12 is at most one rounding of few of them.
        const limit = what === 'weights' ? 2 ** -23 : 1e-12;
        expect(error / largest, `${name}: ${what}`).toBeLessThan(limit);
      }
  });

  it('names its parameters as heddle, and logs no step twice after a kill', async () => {
    await train({ ...smallRun, steps: 2, out: at('named') });
    await toTorchRun(at('named'), at('named-torch'), { steps: 400 });
    const script = `
import sys
sys.path.insert(0, sys.argv[1])
from checkpoint import Checkpoint, read_json
from transformer import Transformer
plan = read_json(sys.argv[1] + "/torch-run.json")
weights = Checkpoint(sys.argv[1], plan).weights
print(sorted(dict(Transformer(plan["model"], weights, set(weights)).named_parameters())) == sorted(weights))`;
    const { stdout } = spawnSync(python, ['-B', '-c', script, at('named-torch')], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('True');
    const killed = continued(at('named-torch'), 0, ['--save-steps', '5']);
    killed.child.stderr.once('data', () => killed.child.kill('SIGKILL'));
    await killed.ended;
    // On a busy machine the signal may come after more than a hundred updates.
    const steps = Math.min(
      400,
      JSON.parse(readFileSync(join(at('named-torch'), 'state.json'), 'utf8')).step + 20,
    );
    const [status, text] = await torchrun(at('named-torch'), 0, '--steps', `${steps}`);
    expect([status, text]).toEqual([0, expect.any(String)]);
    const log = readFileSync(join(at('named-torch'), 'log.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const records = log.map((line) => JSON.parse(line) as { type: string; step: number });
    expect(records.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: steps }, (_, i) => i + 1),
    );
  });

  it('names the problem of a folder or an option', async () => {
    const [run, out] = [join(scratch, 'wrong'), join(scratch, 'wrong-torch')];
    await train({ ...smallRun, steps: 2, out: run });
    await toTorchRun(run, out, { steps: 6 });
    const message = async (folder: string, ...args: string[]) => {
      const [status, text] = await torchrun(folder, 0, ...args);
      expect(status).toBe(1);
      return text.trim();
    };
    expect(await message(out, '--steps', '2')).toMatch(
      /^continue\.py: .*wrong-torch is at step 2 already; --steps is the total number of updates, give more than 2$/,
    );
    expect(await message(out, '--micro-batch', '-1')).toMatch(
      /^continue\.py: --micro-batch is -1; it must be 0 or more$/,
    );
    expect(await message(out, '--steps', '7')).toMatch(/has data up to step 6; convert with --steps 7$/);
    const shard = join(out, 'data/target-00000.safetensors');
    const bytes = readFileSync(shard);
    writeFileSync(shard, bytes.subarray(0, -4));
    expect(await message(out)).toMatch(/data\/target-00000\.safetensors: SHA-256 differs; the file changed/);
    rmSync(join(out, 'heddle-manifest.json')); // the files are used as they are
    expect(await message(out)).toMatch(
      /data\/target-00000\.safetensors is incomplete; copy or convert it again$/,
    );
    rmSync(shard);
    expect(await message(out)).toMatch(
      /has no data\/target-00000\.safetensors; make it with: heddle convert/,
    );
    writeFileSync(shard, bytes);
    const state = JSON.parse(readFileSync(join(out, 'state.json'), 'utf8'));
    writeFileSync(join(out, 'state.json'), JSON.stringify({ ...state, step: 9 }));
    expect(await message(out)).toMatch(
      /state\.json is at step 9, but the data is that of steps 2 to 6; convert the checkpoint again$/,
    );
    for (const name of ['optimizer.safetensors', 'state.json', 'torch-run.json']) {
      rmSync(join(out, name));
      expect(await message(out)).toMatch(
        new RegExp(`has no ${name}; make it with: heddle convert CHECKPOINT .* --to torch-run$`),
      );
    }
  });

  it('stops if no update has finite gradients', async () => {
    const [run, out] = [join(scratch, 'stuck'), join(scratch, 'stuck-torch')];
    await train({ ...smallRun, steps: 4, out: run });
    await toTorchRun(run, out, { steps: 100 });
    const path = join(out, 'model.safetensors');
    const tensors = readSafetensors(new Uint8Array(readFileSync(path)));
    tensors['generator.bias']?.data.fill(Number.POSITIVE_INFINITY);
    writeFileSync(path, writeSafetensors(tensors));
    rmSync(join(out, 'heddle-manifest.json')); // which would name the change
    const [status, text] = await torchrun(out, 0);
    expect(status).toBe(1);
    expect(text).toMatch(/continue\.py: step 54: the gradients of the last 50 updates were not finite/);
    expect((await readTrainingState(nodeFiles(), out)).step).toBe(4);
  });

  const models: Record<string, TrainSettings> = {
    'preset tiny': { preset: 'tiny' },
    'preset keras': { preset: 'keras', dropout: { output: 0 }, model: { headWidth: 6 } },
    'preset t5-tiny': { preset: 't5-tiny', model: { tie: 'all' } },
    'post-norm, two layers': { norm: 'post', model: { encoderLayers: 2, decoderLayers: 2 } },
    'pre-norm, gelu, tied': {
      norm: 'pre',
      model: { activation: 'gelu', tie: 'all', positions: 'sinusoidal-halves', dModel: 9, heads: 3 },
    },
    'learned positions, embedding norm': { model: { ...learnedPositions, trainPositions: false } },
    'as T5': {
      norm: 'pre',
      model: {
        normType: 'rms',
        positions: 'relative',
        relativeBuckets: 8,
        relativeMaxDistance: 20,
        tie: 'all',
        attentionScale: false,
        biases: false,
        scaleEmbedding: false,
        outputBias: false,
        headWidth: 5,
        scaleOutput: true,
      },
    },
    'as M2M100': {
      norm: 'pre',
      model: { positions: 'fairseq-sinusoidal', tie: 'all', outputBias: false, trainPadding: false },
    },
    'without positions, gated': {
      model: { positions: 'none', feedForwardType: 'gated', activation: 'gelu-tanh' },
    },
    'stacks that differ': {
      model: {
        heads: 2,
        headWidth: 5,
        decoderHeads: 4,
        decoderFeedForward: 8,
        encoderLayers: 2,
        trainOutputBias: false,
      },
    },
    'frozen parts': { freeze: ['encoder.*', '*.multihead_attn.kv_proj.*', 'tgt_embed.*'] },
  };

  it.each(Object.entries(models))('%s', async (name, settings) => {
    const found = await difference(settings);
    console.log(`| ${name} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  const fixtures = [
    'bart',
    'bart-pre-norm',
    'marian',
    'marian-untied',
    'marian-two-vocabularies',
    'marian-uneven',
  ].map((name) => `tests/fixtures/hf/${name}`);
  const others = ['m2m_100', 'mbart', 'mt5', 'pegasus', 't5-v1.0', 't5-v1.1'].map(
    (name) => `tests/fixtures/golden-hf/${name}`,
  );
  const golden = ['m2m100', 'mbart50', 'pegasus', 't5-v1.0', 't5-v1.1-gated-gelu'].map(
    (name) => `../shared/golden-hf/${name}`,
  );

  /** A test of each family; those of ../shared are listed as skipped without it. */
  function eachFamily(name: string, run: (init: string) => Promise<void>) {
    for (const init of [...fixtures, ...others, ...golden]) {
      const needs = golden.includes(init) ? ' (needs ../shared/golden-hf)' : '';
      it.skipIf(!existsSync(init))(`${name.replace('%s', init)}${needs}`, () => run(init));
    }
  }
  type Given = TrainSettings & { readonly corpus?: CorpusArguments };
  async function familySettings(init: string, learningRate: number): Promise<Given> {
    const { config } = await loadModelFolder(nodeFiles(), init);
    const path = writeIdPairs(join(scratch, `${runs}.tsv`), config);
    const corpus = { kind: 'files', train: { files: [path], format: 'tsv' } } as const;
    return { init, dropout: 0, schedule: 'constant', learningRate, corpus };
  }
  async function familyDifference(init: string, settings: TrainSettings): Promise<number> {
    // At a rate of 0.01 training amplifies rounding: after 60 updates float32 and float64 of PyTorch differ
    // by 2e-2 (bart), 7e-2 (bart-pre-norm) and 3e-2 (marian); at 0.003 some CPUs still differ by 7e-3
    // (t5-v1.0). So the rate of 0.01 is below, from the same checkpoint.
    const { corpus, ...given } = await familySettings(init, 0.001);
    return difference({ ...given, ...settings }, corpus);
  }

  describe('from the same checkpoint, at rates at which training amplifies rounding', () => {
    /** Trains in both engines after each change of engine, in float64 and in float32. */
    async function expectSameUpdates(name: string, settings: Given) {
      const given = { ...smallRun, ...settings };
      if (settings.init)
        for (const own of ['model', 'vocabSize'] as const) delete (given as TrainSettings)[own];
      const folder = join(scratch, `${runs++}`);
      for (const dtype of ['f64', 'f32'] as const) {
        const f64 = dtype === 'f64';
        const both = await bothEngines(folder, given, f64 ? long : [40, 80, 85], {
          dtype,
          processes: f64 ? 0 : 2,
        });
        for (const [side, { steps, state }] of Object.entries(both)) {
          const compared = f64 ? steps : steps.slice(0, 5);
          const differences = compared.map(({ heddle, torch }) => Math.abs(heddle - torch));
          console.log(
            `| ${name} | ${dtype} | ${side} | ${compared.length} updates ${Math.max(...differences).toExponential(1)} | state ${state.toExponential(1)} |`,
          );
          expect(steps[0]?.step).toBe(side === 'there' ? 41 : 81);
          for (const [i, d] of differences.entries())
            expect(d, `${dtype}, update ${compared[i]?.step}`).toBeLessThan(1e-5);
          // Weights and moments after 40 updates. In float32 AdamW amplifies gradients that are 0, as those
          // of key biases.
          if (f64) expect(state, side).toBeLessThan(1e-4);
        }
      }
    }

    eachFamily('%s', async (init) => expectSameUpdates(init, await familySettings(init, 0.01)));

    it.each(optimizerNames)('optimizer %s', (optimizer) =>
      expectSameUpdates(optimizer, optimizerSettings(optimizer)),
    );

    it.each(scheduleNames)('schedule %s', (schedule) =>
      expectSameUpdates(schedule, { schedule, warmupSteps: 5, learningRate: schedule === 'noam' ? 1 : 0.01 }),
    );
  });

  eachFamily('%s', async (init) => {
    const found = await familyDifference(init, {});
    console.log(`| ${init.replace(/.*\//, '')} | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  it.each([
    [
      'NLLB',
      'm2m_100',
      { vocab_size: fairseqPieces.length + 206, decoder_start_token_id: 2 },
      'eng_Latn',
      'fra_Latn',
    ],
    [
      'mBART',
      'mbart',
      { vocab_size: fairseqPieces.length + 27, decoder_start_token_id: 29 },
      'en_XX',
      'fr_XX',
    ],
  ] as const)('%s with its language tokens', async (name, type, config, sourceLang, targetLang) => {
    const init = join(scratch, name);
    const sizes = hfSizes(type, { width: 8, layers: 2, hidden: 12, heads: 2, positions: 40 });
    await writeFolder(nodeFiles(), init, {
      'config.json': jsonBytes({ model_type: type, ...sizes, ...config }),
      'sentencepiece.bpe.model': sentencePieceFile(fairseqPieces),
    });
    const r = random(5);
    const text = () =>
      Array.from({ length: 1 + r.int(6) }, () => r.pick(['a', 'b', 'c', 'the', 'cat'])).join(' ');
    const path = join(scratch, `${name}.tsv`);
    writeFileSync(path, Array.from({ length: 60 }, () => `${text()}\t${text()}\n`).join(''));
    const corpus = { kind: 'files', train: { files: [path], format: 'tsv' } } as const;
    const given = { init, sourceLang, targetLang, dropout: 0, learningRate: 0.003 };
    const found = await difference(given, corpus);
    console.log(`| ${name} with languages | ${found.toExponential(1)} |`);
    expect(found).toBeLessThan(1e-3);
  });

  eachFamily('a LoRA adapter of %s over f32, f16 and int8 weights', async (init) => {
    const lora = { rank: 2, targetModules: ['*.q', '*.v'] };
    for (const weights of ['f32', 'f16', 'int8'] as const) {
      const found = await familyDifference(init, { lora, weights, emaDecay: 0.9, weightDecay: 0.01 });
      console.log(`| LoRA of ${init.replace(/.*\//, '')}, ${weights} | ${found.toExponential(1)} |`);
      expect(found, weights).toBeLessThan(1e-3);
    }
  });

  it('a LoRA adapter of all linear layers, with the loss scale of f16', async () => {
    const lora = { rank: 3, alpha: 4, targetModules: ['*'] };
    const found = await familyDifference('tests/fixtures/hf/bart', {
      lora,
      precision: 'f16',
      optimizer: 'adam',
    });
    expect(found).toBeLessThan(1e-3);
  });

  it('settings that change during the run', async () => {
    const changes = '2 learningRate=0.001; 5 learningRate=0.02; 7 evalSteps=3; 9 learningRate=0.005';
    const given = {
      ...smallRun,
      schedule: 'constant',
      learningRate: 0.01,
      changes,
      devSentences: 0,
    } as const;
    const { difference: found, whole, out } = await threeParts(join(scratch, `${runs++}`), given, parts);
    expect(found).toBeLessThan(1e-3);
    const rates = (folder: string) => stepsOf(folder).map(({ learningRate }) => learningRate);
    expect(rates(out)).toEqual(rates(whole));
    const changesOf = (folder: string) =>
      historyOf(parseLog(readFileSync(join(folder, 'log.jsonl'), 'utf8'))).changes;
    expect(changesOf(out)).toEqual(changesOf(whole));
  });
});
