// Messages of the library on the command line: flags in place of options, and nothing else changes.

import { expect, it } from 'vitest';
import { inFlags } from '../../src/commands/flag-names.ts';

it('names flags for options with values and for names of several words', () => {
  expect(inFlags('It fits with gradientCheckpointing: true, batchSize: 16 (31.4 MiB).')).toBe(
    'It fits with --gradient-checkpointing --batch-size 16 (31.4 MiB).',
  );
  expect(inFlags('batchSize: 4, lora: {"rank":8}, weights: "int8" (9.0 MiB)')).toBe(
    '--batch-size 4 --lora-rank 8 --weights int8 (9.0 MiB)',
  );
  expect(inFlags("it fits with weights: 'f16' (1.2 MiB) or weights: 'int8' (722.8 KiB)")).toBe(
    'it fits with --weights f16 (1.2 MiB) or --weights int8 (722.8 KiB)',
  );
  expect(inFlags('resume from an earlier checkpoint, or find the cause with checkFinite.')).toBe(
    'resume from an earlier checkpoint, or find the cause with --check-finite.',
  );
  expect(inFlags('lower warmupSteps or raise steps')).toBe('lower --warmup-steps or raise --steps');
  expect(inFlags('name its folder with init')).toBe('name its folder with --init');
  expect(inFlags('the limit is 9 MiB (memoryLimit, memoryBudget, or the memory)')).toBe(
    'the limit is 9 MiB (--memory-limit, --memory-budget, or the memory)',
  );
  expect(inFlags('choose two (sourceColumn, targetColumn), for example en and fr')).toBe(
    'choose two (--source-column, --target-column), for example en and fr',
  );
});

it('leaves paths, quoted texts, fields of --set and plain words', () => {
  for (const text of [
    'batchSize.tsv: there is no such file',
    'runs/batchSize: it exists already',
    'config: heads is 3, it must be a divisor of dModel 128 if headWidth is not given',
    'line 3: "batchSize" is no number; seed: see the docs',
    'use --set batchSize=3',
    'lower the learning rate, or reduce data.tsv with weights in f32',
    'steps: 12 of 30 are done',
  ])
    expect(inFlags(text)).toBe(text);
});
