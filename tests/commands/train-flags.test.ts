// Flags of heddle train: what settings they give, and what is rejected.
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { movedCorpus } from '../../src/commands/train-corpus.ts';
import { addTrainFlags, givenSettings } from '../../src/commands/train-flags.ts';
import { settingRows, settingTable } from '../../src/features/all-settings.ts';
import { features } from '../../src/features/features.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { completeSettings } from '../../src/train/settings/run-defaults.ts';
import { completeArguments } from '../../src/train/settings/train-arguments.ts';
import { optimizerOf, Recipe } from '../../src/train/settings/training-recipe.ts';
import { errorAbout, errorNaming } from '../support/expect-error.ts';

/** The settings on a command line. */
function parsed(line: string) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addTrainFlags(command);
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return givenSettings(command);
}
const complete = (line: string) => completeSettings(parsed(line), 'pairs', settingTable);
const ratesOf = async (line: string) => {
  const corpus = { kind: 'tsv', path: 'pairs.tsv' } as const;
  const args = completeArguments({ ...parsed(line), corpus, out: '' }, settingTable);
  const { model } = (await Recipe.of(args, undefined, features)).data;
  return modelConfig({ srcVocab: 9, tgtVocab: 9, ...model }).dropout;
};

it('gives only the settings on the command line', () => {
  expect(parsed('--host cpu --out m --pairs 50')).toEqual({});
  expect(parsed('--lr 5e-4 --steps 40 --check-finite --no-fuse linear-gelu,residual --seed 7')).toEqual({
    learningRate: 5e-4,
    steps: 40,
    checkFinite: true,
    noFuse: ['linear-gelu', 'residual'],
    seed: 7,
  });
  expect(parsed('--no-lowercase --set heads=4 --set norm=pre')).toEqual({
    lowercase: false,
    model: { heads: 4, norm: 'pre' },
  });
});

it('lists a distinct flag in the help for each setting', () => {
  const command = new Command();
  addTrainFlags(command);
  const flags = command.helpInformation().match(/--[\w-]+/g);
  for (const [name] of settingRows) expect(flags).toContain(settingTable.flag(name));
  expect(new Set(settingRows.map(([name]) => settingTable.flag(name))).size).toBe(settingRows.length);
});

it('reads a LoRA adapter on packed weights', () => {
  const given = { init: 'base', lora: { rank: 8 }, weights: 'int8' };
  for (const flag of ['--lora', '--lora-rank'])
    expect(parsed(`--init base ${flag} 8 --weights int8`)).toEqual(given);
});

describe('dropout', () => {
  it('has one rate, or rates by place', async () => {
    const rates = { embedding: 0.1, attention: 0.1, feedForward: 0.1, residual: 0.1, memory: 0, output: 0 };
    expect(await ratesOf('')).toEqual(rates);
    expect(await ratesOf('--dropout attention=0.3')).toEqual({ ...rates, attention: 0.3 });
    expect(await ratesOf('--dropout 0 --dropout feedForward=0.2,output=0.4')).toEqual({
      embedding: 0,
      attention: 0,
      feedForward: 0.2,
      residual: 0,
      memory: 0,
      output: 0.4,
    });
    expect(complete('--dropout 0.25').dropout).toBe(0.25);
  });

  it("keeps the places of a preset: Keras's example drops before its output", async () => {
    const none = { embedding: 0, attention: 0, feedForward: 0, residual: 0, memory: 0 };
    expect(complete('--preset keras').dropout).toBeUndefined();
    expect(await ratesOf('--preset keras --dropout residual=0.1')).toEqual({
      ...none,
      residual: 0.1,
      output: 0.5,
    });
    expect(await ratesOf('--preset keras --dropout 0.2')).toMatchObject({ embedding: 0.2, output: 0.5 });
  });
});

describe('the optimizer', () => {
  const optimizer = (line: string) => optimizerOf(complete(line));
  it('has the numbers on the command line', () => {
    expect(
      optimizer('--betas 0.8,0.95 --eps 1e-6 --weight-decay 0.1 --clip-norm 0 --ema-decay 0.99'),
    ).toEqual({
      kind: 'adamw',
      beta1: 0.8,
      beta2: 0.95,
      eps: 1e-6,
      weightDecay: 0.1,
      clipNorm: 0,
      emaDecay: 0.99,
    });
    expect(optimizer('--optimizer sgd --momentum 0')).toEqual({ kind: 'sgd', momentum: 0 });
    expect(optimizer('--optimizer rmsprop --rho 0.99')).toEqual({ kind: 'rmsprop', rho: 0.99 });
    // Keras's example does not clip.
    expect(optimizer('--preset keras')).toEqual({ kind: 'rmsprop', clipNorm: 0 });
    expect(optimizer('--preset keras --clip-norm 2')).toEqual({ kind: 'rmsprop', clipNorm: 2 });
    const schedule =
      '--schedule cosine --lr 2e-3 --warmup-steps 5 --schedule-steps 90 --min-learning-rate 1e-5';
    expect(complete(schedule)).toMatchObject({
      schedule: 'cosine',
      learningRate: 2e-3,
      warmupSteps: 5,
      scheduleSteps: 90,
      minLearningRate: 1e-5,
    });
  });
});

it.each([
  ['--momentum 0.5', errorAbout({ options: ['momentum', 'optimizer'], values: ['0.5', 'adamw', 'sgd'] })],
  [
    '--optimizer rmsprop --weight-decay 0.1',
    errorAbout({ options: ['weightDecay', 'optimizer'], values: ['0.1', 'rmsprop'] }),
  ],
  [
    '--optimizer sgd --betas 0.9,0.99',
    errorAbout({ options: ['betas', 'optimizer'], values: ['0.9,0.99', 'sgd'] }),
  ],
  [
    '--schedule noam --schedule-steps 9',
    errorAbout({ options: ['scheduleSteps', 'schedule'], values: ['9', 'noam'] }),
  ],
  ['--loss-scale-growth 9', errorAbout({ options: ['lossScaleGrowth', 'precision'], values: ['9', 'f32'] })],
  ['--steps 3 --epochs 1', errorAbout({ options: ['steps', 'epochs'], values: ['3', '1'] })],
  [
    '--batch-size 3 --max-tokens 100',
    errorAbout({ options: ['batchSize', 'maxTokens'], values: ['3', '100'] }),
  ],
  ['--betas 0.9', errorNaming('--betas', '0.9')],
  [
    '--dropout heads=0.1',
    errorNaming('--dropout', 'heads=0.1', 'embedding, attention, feedForward, residual, memory, output'),
  ],
  ['--lora-rank 0', errorNaming('--lora-rank', "'0'", 1)],
  ['--freeze ,', errorNaming('--freeze', "','")],
  ['--lora-alpha 4', errorAbout({ options: ['lora.alpha', 'lora.rank'] })],
  [
    '--init base --tokenizer word',
    errorAbout({ options: ['tokenizer', 'tokenizer', 'init'], values: ['base'] }),
  ],
])('rejects %s', (line, expected) => {
  expect(() => complete(line)).toThrow(expected);
});

it('collects patterns of parameters and of layers for LoRA', () => {
  expect(parsed('--freeze encoder.* --freeze *.bias,src_embed.*')).toEqual({
    freeze: ['encoder.*', '*.bias', 'src_embed.*'],
  });
  const flags = '--lora-rank 4 --lora-alpha 4 --lora-target-modules fc1,*.out_proj --lora-dropout 0.1';
  expect(parsed(flags)).toEqual({
    lora: { rank: 4, alpha: 4, targetModules: ['fc1', '*.out_proj'], dropout: 0.1 },
  });
});

it('saves every minute by default', () => {
  expect(complete('')).toMatchObject({ saveSeconds: 60, saveSteps: 0 });
  expect(complete('--save-seconds 0.5').saveSeconds).toBe(0.5);
});

it('finds files of pairs that have moved', () => {
  const kept = { kind: 'tsv', path: '/p.tsv', dev: '/d.tsv' } as const;
  expect(movedCorpus(kept, {})).toBe(kept);
  const [train, dev] = [{ files: ['/new/p.csv'] }, { source: ['/new/d.en'], target: ['/new/d.es'] }];
  expect(movedCorpus(kept, { train, dev })).toEqual({ kind: 'files', train, dev });
  expect(movedCorpus(kept, { dev })).toEqual({
    kind: 'files',
    train: { files: ['/p.tsv'], format: 'tsv' },
    dev,
  });
  // A run of a program has the dev and test pairs of the command.
  const ofCaller = { kind: 'tsv', path: 'pairs' } as const;
  expect(movedCorpus(ofCaller, { train, dev })).toEqual({ kind: 'files', train, dev });
  // A run without files, or with its pairs in the model folder, has nothing to move.
  const own = { kind: 'tsv', path: 'p.tsv', keep: true } as const;
  for (const corpus of [{ kind: 'intl', source: 'en', target: 'es', pairs: 50, seed: 1 } as const, own])
    expect(movedCorpus(corpus, { train, dev })).toBe(corpus);
});
