// The warning at the start of a run whose model cannot be converted to a format.
import { expect, it } from 'vitest';
import { exportProblem } from '../../src/api/export-check.ts';
import { settingTable } from '../../src/features/all-settings.ts';
import { completeSettings, type RunKind } from '../../src/train/settings/run-defaults.ts';
import type { TrainSettings } from '../../src/train/settings/train-settings.ts';
import { holeValues } from '../support/expect-error.ts';
import { letterModel } from '../support/saved-model.ts';

/** The settings with all defaults. */
const complete = (given: TrainSettings, kind: RunKind) => completeSettings(given, kind, settingTable);

const marian = { norm: 'post', finalNorm: false, positions: 'sinusoidal-halves', tie: 'all' } as const;

it('names the fields that a format does not support, and nothing for a model that can be converted', () => {
  expect(exportProblem(letterModel(1, { ...marian }), 'marian')).toBeUndefined();
  expect(holeValues(exportProblem(letterModel(1, { ...marian, norm: 'pre' }), 'marian'))).toEqual(
    expect.arrayContaining(['marian', 'norm', '"pre"', 'post']),
  );
  const valuesFor = (type: 'bart' | 't5') => holeValues(exportProblem(letterModel(1, { ...marian }), type));
  expect(valuesFor('bart')).toEqual(expect.arrayContaining(['bart', 'embeddingNorm']));
  expect(valuesFor('t5')).toContain('t5');
});

it('names two vocabularies, which transformers has no tokenizer for', () => {
  const { config, source } = letterModel(1, { ...marian });
  const other = letterModel(1).source;
  expect(exportProblem({ config, source, target: { ...other } }, 'marian')).toBeDefined();
});

it('exportTo gives a new model the fields of the format; those that are given stay', () => {
  for (const exportTo of ['bart', 'marian', 't5'] as const)
    for (const preset of ['tiny', 'small', 't5-tiny'] as const) {
      const { norm, model = {} } = complete(
        { exportTo, preset: exportTo === 't5' ? preset : 'tiny' },
        'intl',
      );
      expect(exportProblem(letterModel(1, { norm, ...model }), exportTo), exportTo).toBeUndefined();
    }
  const own = complete({ exportTo: 'bart', norm: 'pre', model: { embeddingNorm: false } }, 'pairs');
  expect([own.norm, own.model]).toEqual(['pre', { finalNorm: false, embeddingNorm: false, tie: 'all' }]);
  expect(complete({ exportTo: 'bart', init: 'folder' }, 'pairs').model).toEqual({});
});
