// Settings in the words of the page, and one convention for numbers, dates and times.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changesIn, settingLabel } from '../../demo/train/page/setting-words.ts';
import { describeChanges, parseChanges, settingRows } from '../../src/entries/reports.ts';
import { errorAbout } from '../support/expect-error.ts';

it('names every setting in words, as the form does if it has the setting', () => {
  expect(settingLabel('batchSize')).toBe('Batch size');
  expect(settingLabel('model.dModel')).toBe('Model d model');
  for (const [name, { label }] of settingRows) {
    expect(settingLabel(name)).not.toMatch(/[a-z][A-Z]/);
    if (label) expect(settingLabel(name)).toBe(label);
  }
});

it('reads changes as it writes them, and as settings have them', () => {
  const setting = '40 learningRate=0.001 dropout=0; 80 evalSteps=50';
  const phrase = describeChanges(parseChanges(setting));
  expect(phrase).toBe(
    'learning rate 0.001 and dropout 0 after step 40, evaluation interval 50 after step 80',
  );
  expect(changesIn(phrase)).toEqual(parseChanges(setting));
  expect(changesIn(setting)).toEqual(parseChanges(setting));
  expect(changesIn('')).toEqual([]);
  expect(() => changesIn('momentum 0.9 after step 4')).toThrow(
    errorAbout({ area: 'train', options: ['changes'], values: ['"4 momentum 0.9"', 'momentum'] }),
  );
});

it('formats numbers, dates and times in one place, in the language of the page', () => {
  const folder = join(import.meta.dirname, '../../demo');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const found = sources.filter((name) =>
    /toLocale\w*String\(/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect(found.map((name) => name.replaceAll('\\', '/'))).toEqual(['common/format.ts']);
});
