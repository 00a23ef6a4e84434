// What the options of heddle train ask for: of a training that begins, and of one that goes on.
import { resolve } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addTrainOptions, type TrainOptions } from '../../src/cli/train-flags.ts';
import { resumedArguments, trainArguments } from '../../src/cli/train-settings.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import type { TrainArguments } from '../../src/train/settings.ts';

function parsed(line: string) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addTrainOptions(command);
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  const options = command.opts<TrainOptions>();
  return { options, given: Object.keys(options).filter((name) => command.getOptionValueSource(name) === 'cli') };
}
const begun = (line: string) => trainArguments('pairs.tsv', parsed(line).options);
const resumed = (start: string, line: string) => {
  const { options, given } = parsed(line);
  return resumedArguments(begun(start), options, given);
};
const pairsOf = (line: string, pairs?: string, kept: Partial<TrainArguments> = {}) => {
  const { options, given } = parsed(line);
  return resumedArguments({ ...begun(''), ...kept }, options, given, pairs);
};
const ratesOf = (line: string) => {
  const { preset, model } = begun(line);
  return { preset, rates: modelConfig({ srcVocab: 9, tgtVocab: 9, ...model }).dropout };
};

describe('dropout', () => {
  it('has one rate, or one of each place over it', () => {
    const rates = { embedding: 0.1, attention: 0.1, feedForward: 0.1, residual: 0.1, output: 0 };
    expect(ratesOf('').rates).toEqual(rates);
    expect(ratesOf('--dropout attention=0.3').rates).toEqual({ ...rates, attention: 0.3 });
    expect(ratesOf('--dropout 0 --dropout feedForward=0.2,output=0.4').rates).toEqual({
      embedding: 0,
      attention: 0,
      feedForward: 0.2,
      residual: 0,
      output: 0.4,
    });
    expect(begun('--dropout 0.25').model.dropout).toBe(0.25);
  });

  it("keeps what a preset has at other places: Keras's example before its output", () => {
    const none = { embedding: 0, attention: 0, feedForward: 0, residual: 0 };
    expect(begun('--preset keras').model.dropout).toBeUndefined();
    expect(ratesOf('--preset keras --dropout residual=0.1').rates).toEqual({ ...none, residual: 0.1, output: 0.5 });
    expect(ratesOf('--preset keras --dropout 0.2').rates).toMatchObject({ embedding: 0.2, output: 0.5 });
  });
});

describe('the update', () => {
  it('has every number of its rule', () => {
    expect(begun('--betas 0.8,0.95 --eps 1e-6 --weight-decay 0.1 --clip 0 --ema 0.99').optimizer).toEqual({
      kind: 'adamw',
      beta1: 0.8,
      beta2: 0.95,
      eps: 1e-6,
      weightDecay: 0.1,
      clipNorm: 0,
      emaDecay: 0.99,
    });
    expect(begun('--optimizer sgd --momentum 0').optimizer).toEqual({ kind: 'sgd', momentum: 0 });
    expect(begun('--optimizer rmsprop --rho 0.99').optimizer).toEqual({ kind: 'rmsprop', rho: 0.99 });
    // Keras's example does not clip.
    expect(begun('--preset keras').optimizer).toEqual({ kind: 'rmsprop', clipNorm: 0 });
    expect(begun('--preset keras --clip 2').optimizer).toEqual({ kind: 'rmsprop', clipNorm: 2 });
    expect(begun('--schedule cosine --lr 2e-3 --warmup 5 --schedule-steps 90 --lr-floor 1e-5').schedule).toEqual({
      kind: 'cosine',
      learningRate: 2e-3,
      warmup: 5,
      steps: 90,
      floor: 1e-5,
    });
  });

  it.each([
    ['--momentum 0.5', '--momentum 0.5: the optimizer adamw has none'],
    ['--optimizer rmsprop --weight-decay 0.1', '--weight-decay 0.1: the optimizer rmsprop has none'],
    ['--optimizer sgd --betas 0.9,0.99', '--betas 0.9,0.99: the optimizer sgd has none'],
    ['--schedule noam --schedule-steps 9', '--schedule-steps 9: the schedule noam has none'],
    ['--steps 3 --epochs 1', '--steps 3 and --epochs 1 exclude each other'],
    ['--batch 3 --tokens 100', '--batch 3 and --tokens 100 exclude each other'],
    ['--betas 0.9', 'It must be two rates, as 0.9,0.98.'],
    ['--dropout heads=0.1', 'A rate, or one of embedding, attention, feedForward, residual, output'],
  ])('%s is refused', (line, said) => {
    expect(() => begun(line)).toThrow(said);
  });
});

it('saves every minute, unless told otherwise', () => {
  expect(begun('')).toMatchObject({ saveSeconds: 60, saveEvery: 0 });
  expect(begun('--save-seconds 0.5').saveSeconds).toBe(0.5);
});

describe('a training that goes on', () => {
  const start =
    '--steps 40 --eval-every 7 --best bleu --patience 3 --test 5 --dev-sentences 9 --save-every 2 --lr 5e-4';

  it('keeps all settings that are not given anew, those of its evaluations too', () => {
    expect(resumed(start, '--resume --out m')).toEqual({ args: { ...begun(start), resume: true }, stays: [] });
    const { args } = resumed(start, '--resume --steps 100 --patience 0 --check-finite');
    expect(args).toEqual({ ...begun(start), steps: 100, patience: 0, checkFinite: true, resume: true });
  });

  it('goes by epochs where these are asked for, whatever its steps were', () => {
    expect(resumed(start, '--resume --epochs 12').args).toMatchObject({ steps: 0, epochs: 12 });
    expect(resumed('--epochs 3', '--resume --steps 12').args).toMatchObject({ steps: 12 });
  });

  it('names what is said and not taken', () => {
    const line = '--resume --lr 1 --weight-decay 0.1 --host chrome --no-fuse linear-gelu --seed 1 --steps 50';
    const { args, stays } = resumed(start, line);
    expect([...stays].sort()).toEqual(['--lr', '--no-fuse', '--seed', '--weight-decay']);
    expect(args).toEqual({ ...begun(start), steps: 50, resume: true });
  });

  it('finds its pairs from any folder, and where they have moved', () => {
    expect(begun('--dev dev.tsv').corpus).toEqual({ kind: 'tsv', path: resolve('pairs.tsv'), dev: resolve('dev.tsv') });
    expect(pairsOf('--resume')).toMatchObject({ args: { corpus: begun('').corpus }, stays: [] });
    const moved = { kind: 'tsv', path: resolve('elsewhere/p.tsv') } as const;
    expect(pairsOf('--resume', 'elsewhere/p.tsv')).toMatchObject({ args: { corpus: moved }, stays: [] });
    const corpus = { ...moved, dev: '/d.tsv' };
    expect(pairsOf('--resume --dev new.tsv', undefined, { corpus })).toMatchObject({
      args: { corpus: { ...moved, dev: resolve('new.tsv') } },
      stays: [],
    });
    // Pairs for a training that has none of its own, or has its own with it, are not taken.
    const own = { kind: 'tsv', path: 'p.tsv', keep: true } as const;
    for (const kept of [{ kind: 'intl', source: 'en', target: 'es', pairs: 50, seed: 1 } as const, own])
      expect(pairsOf('--resume --dev d.tsv', 'p.tsv', { corpus: kept })).toMatchObject({
        args: { corpus: kept },
        stays: ['p.tsv', '--dev'],
      });
  });

  it('saves every minute too where it was started before that was so', () => {
    const { saveSeconds } = pairsOf('--resume', undefined, { saveSeconds: undefined }).args;
    expect(saveSeconds).toBe(60);
    expect(pairsOf('--resume --save-seconds 0').args.saveSeconds).toBe(0);
  });
});
