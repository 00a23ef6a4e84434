// Every setting of a training and every field of a model that changes numbers is drawn, or is listed here with the
// reason why it changes none.
import { expect, it } from 'vitest';
import { settingRows } from '../../../src/features/all-settings.ts';
import { modelFields } from '../../../src/model/model-fields.ts';
import { drawTraining } from './draw-training.ts';

const fromTokenizer = 'the tokenizers of a run decide it';
const evaluated = 'it changes what is translated or shown, no weights';
const saved = 'it changes what is saved when, no weights';

/** Settings that are not drawn. */
const settingsWithoutNumbers: Readonly<Record<string, string>> = {
  epochs: 'the length of a run in other words: drawn runs have 10 updates',
  sourceLang: 'tokens of a source, which the batches of the golden cases of M2M100 and mBART have',
  targetLang: 'tokens of a target, which the batches of the golden cases of M2M100 and mBART have',
  tokenizerFile: 'the same tokenizers from a file',
  sourceTokenizer: 'the same tokenizers from a file',
  targetTokenizer: 'the same tokenizers from a file',
  earlyEvals: evaluated,
  probe: evaluated,
  probeSteps: evaluated,
  patience: 'it ends a run, and changes no update',
  saveSteps: saved,
  keepLast: saved,
  keepTokens: saved,
  tensorboard: saved,
};

/** Fields of a model that are not drawn. */
const fieldsWithoutNumbers: Readonly<Record<string, string>> = {
  source: 'preset line-tiny has it',
  frameWidth: 'preset line-tiny has it',
  stem: 'preset line-tiny has it; conv: golden cases of Whisper',
  maxSource: 'preset line-tiny has it',
  srcVocab: fromTokenizer,
  tgtVocab: fromTokenizer,
  padId: fromTokenizer,
  startId: fromTokenizer,
  endId: fromTokenizer,
  dropout: 'drawn as a setting',
  labelSmoothing: 'drawn as a setting',
  norm: 'drawn as a setting',
  hidePadding: 'only decoding reads it',
};

const all = Array.from({ length: 200 }, (_, i) => drawTraining(i + 1));

/** Names of the values in objects; those of nested ones are `outer.inner`. */
const namesIn = (objects: readonly object[], nested = false): Set<string> =>
  new Set(
    objects.flatMap((fields) =>
      Object.entries(fields).flatMap(([name, value]) =>
        nested && name === 'lora' ? Object.keys(value).map((own) => `lora.${own}`) : [name],
      ),
    ),
  );

/** Names that are neither drawn nor listed, and names that are listed without need. */
const forgotten = (
  names: readonly string[],
  drawn: Set<string>,
  listed: Readonly<Record<string, string>>,
) => ({
  missing: names.filter((name) => !drawn.has(name) && !(name in listed)),
  needless: Object.keys(listed).filter((name) => drawn.has(name) || !names.includes(name)),
});

it('every setting is drawn, or changes no number', () => {
  const drawn = namesIn(
    all.flatMap(({ settings, base }) => [settings, base ?? {}]),
    true,
  );
  expect(
    forgotten(
      settingRows.map(([name]) => name),
      drawn,
      settingsWithoutNumbers,
    ),
  ).toEqual({
    missing: [],
    needless: [],
  });
});

it('every field of a model is drawn, or changes no number', () => {
  const drawn = namesIn(all.flatMap(({ settings, base }) => [settings.model ?? {}, base?.model ?? {}]));
  expect(forgotten(Object.keys(modelFields), drawn, fieldsWithoutNumbers)).toEqual({
    missing: [],
    needless: [],
  });
});
