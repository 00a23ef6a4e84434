// A sweep: `heddle train` with several seeds (--seed 1,2,3) or values of settings (--grid learningRate=1e-3,3e-3), a
// run for each combination, in a folder of its own in --out.

import { HeddleError } from '../core/errors.ts';
import { suggestion } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import { settingRows } from '../features/all-settings.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';

/** A run of a sweep. */
export interface SweepRun {
  /** Name of its folder: `seed-1`, `learningRate-0.001_seed-2`. */
  readonly name: string;
  readonly settings: TrainSettings;
}

/** Parses the text of the flag of a setting; throws a HeddleError. */
export type ParseSetting = (name: string, text: string) => unknown;

/** A setting and its values. */
interface Dimension {
  readonly name: string;
  readonly values: readonly { readonly text: string; readonly value: unknown }[];
}

const maxRuns = 1000;

const writing = msg`write a setting and its values, for example learningRate=1e-3,3e-3`;

/** The dimension that `NAME=A,B` names. Throws a HeddleError for an unknown name or an invalid value. */
function dimensionOf(text: string, parse: ParseSetting, flag = `--grid ${text}`): Dimension {
  const at = text.indexOf('=');
  const given = at < 0 ? text : text.slice(0, at).trim();
  const names = settingRows.map(([name]) => name);
  const asSetting = given
    .replace(/^--/, '')
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const name = names.find((one) => one === given || one === asSetting);
  if (at < 0 || name === undefined)
    throw new HeddleError(
      at < 0
        ? writing
        : msg`${writing}; there is no setting ${given}${suggestion(given, names) ?? ', docs/settings.md lists them'}`,
      { area: flag },
    );
  const texts = text
    .slice(at + 1)
    .split(',')
    .map((value) => value.trim());
  if (texts.includes('')) throw new HeddleError('a value is empty', { area: flag });
  const values = texts.map((value) => ({ text: value, value: parse(name, value) }));
  // 1e-3 is 0.001; values such as a/b and a-b would have the same folder.
  const keys = [values.map(({ value }) => JSON.stringify(value)), texts.map((value) => nameOf(name, value))];
  if (keys.some((list) => new Set(list).size < texts.length))
    throw new HeddleError('a value occurs twice', { area: flag });
  return { name, values };
}

/** `settings` with a value; fields of objects have names such as `model.heads`. */
function withValue(settings: TrainSettings, name: string, value: unknown): TrainSettings {
  const [outer, inner] = name.split('.') as [keyof TrainSettings, string?];
  if (inner === undefined) return { ...settings, [outer]: value };
  const before = settings[outer];
  const fields = typeof before === 'object' ? before : undefined;
  return { ...settings, [outer]: { ...fields, [inner]: value } };
}

/** The part of a folder's name for a value. */
const nameOf = (name: string, text: string): string => `${name}-${text.replace(/[^\w.+-]/g, '-')}`;

/**
 * The runs of a sweep: all combinations of the values in `grid` and the seeds, the seeds last. Throws a HeddleError for
 * an unknown setting, an invalid value, or more than 1,000 runs.
 */
export function sweepRuns(
  settings: TrainSettings,
  grid: readonly string[],
  seeds: readonly string[],
  parse: ParseSetting,
): SweepRun[] {
  const dimensions = grid.map((text) => dimensionOf(text, parse));
  if (seeds.length > 0) dimensions.push(dimensionOf(`seed=${seeds.join()}`, parse, `--seed ${seeds.join()}`));
  const twice = dimensions.find(({ name }, i) => dimensions.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new HeddleError(msg`${twice.name} is given twice; name all its values at once`, { area: '--grid' });
  const count = dimensions.reduce((n, { values }) => n * values.length, 1);
  if (count > maxRuns) throw new HeddleError(msg`${count} runs; at most ${maxRuns}`, { area: '--grid' });
  let runs: SweepRun[] = [{ name: '', settings }];
  for (const { name, values } of dimensions)
    runs = runs.flatMap((run) =>
      values.map(({ text, value }) => ({
        name: [run.name, nameOf(name, text)].filter((part) => part !== '').join('_'),
        settings: withValue(run.settings, name, value),
      })),
    );
  // Curves of several runs in one folder of TensorBoard would be one curve.
  return runs.map((run) => {
    const { tensorboard } = run.settings;
    return tensorboard
      ? { ...run, settings: { ...run.settings, tensorboard: `${tensorboard}/${run.name}` } }
      : run;
  });
}
