// Changes of settings during a run: by hand between two updates, or from the setting `changes`. The text of a
// change is the number of updates before it and its settings: `40 learningRate=0.001 dropout=0; 80
// evalSteps=50`.

import { check } from '../../core/errors.ts';
import { listed, msg, option } from '../../core/message.ts';
import type { LogChange } from './training-log.ts';

/** Settings that may change between two updates. */
export type LiveSettings = Omit<LogChange, 'type' | 'step'>;

/** A change after `step` updates. */
export type RunChange = Omit<LogChange, 'type'>;

/** Each setting in labels, and its allowed values. */
const rules: Record<
  keyof LiveSettings,
  readonly [label: string, fits: (x: number) => boolean, range: string]
> = {
  learningRate: ['learning rate', (x) => x > 0 && x < Number.POSITIVE_INFINITY, 'a number above 0'],
  dropout: ['dropout', (x) => x >= 0 && x < 1, 'a number of at least 0 and below 1'],
  evalSteps: [
    'evaluation interval',
    (x) => Number.isSafeInteger(x) && x >= 0,
    'a whole number of at least 0',
  ],
};

/** The settings that may change, in words. */
export const liveSettingLabels = Object.fromEntries(
  Object.entries(rules).map(([name, [label]]) => [name, label]),
) as Readonly<Record<keyof LiveSettings, string>>;

/** Names of the settings that may change. */
const liveSettingNames = Object.keys(rules) as readonly (keyof LiveSettings)[];

/**
 * Checks new values of settings. Throws a HeddleError that names the setting, its value and the allowed
 * values.
 */
export function checkLiveSettings(given: LiveSettings): void {
  const names = Object.keys(given) as (keyof LiveSettings)[];
  check(names.length > 0, 'a change needs a setting', { area: 'train' });
  for (const name of names) {
    check(
      Object.hasOwn(rules, name),
      () =>
        msg`${option(name)} cannot change during a run; ${listed(liveSettingNames.map((live) => option(live)))} can`,
      { area: 'train' },
    );
    const [, fits, range] = rules[name];
    const value = given[name] ?? Number.NaN;
    check(fits(value), () => msg`${option(name)} (${value}) must be ${range}`, { area: 'train' });
  }
}

/**
 * Parses changes; returns them in the order of their steps. Throws a HeddleError that names the invalid part.
 */
export function parseChanges(text = ''): RunChange[] {
  const parts = text.split(';').map((part) => part.trim());
  const changes = parts.filter(Boolean).map((part): RunChange => {
    const [step = '', ...fields] = part.split(/\s+/);
    const where = msg`${option('changes')} (${JSON.stringify(part)})`;
    check(
      /^\d+$/.test(step),
      msg`${where} must begin with a number of steps, for example 40 learningRate=0.001`,
      { area: 'train' },
    );
    check(fields.length > 0, msg`${where} needs a setting, for example 40 learningRate=0.001`, {
      area: 'train',
    });
    const settings: Record<string, number> = {};
    for (const field of fields) {
      const [, name = '', value = ''] = /^(\w+)=(\S+)$/.exec(field) ?? [];
      check(name, msg`${where}: ${field} must be a setting and its value, for example learningRate=0.001`, {
        area: 'train',
      });
      settings[name] = Number(value);
    }
    checkLiveSettings(settings);
    return { step: Number(step), ...settings };
  });
  return changes.sort((a, b) => a.step - b.step);
}

/** Names of the settings that a change has. */
const namesIn = (change: RunChange) => liveSettingNames.filter((name) => change[name] !== undefined);

/** Formats changes as `parseChanges` reads them; empty if there are none. */
export const formatChanges = (changes: readonly RunChange[]): string =>
  changes
    .map((change) => [change.step, ...namesIn(change).map((name) => `${name}=${change[name]}`)].join(' '))
    .join('; ');

/** The settings in several changes; the last value of each setting counts. */
export const mergeChanges = (changes: readonly RunChange[]): LiveSettings =>
  Object.fromEntries(changes.flatMap(({ step: _, ...settings }) => Object.entries(settings)));

/** The changes without some settings; changes that become empty are dropped. */
export const withoutSettings = (changes: readonly RunChange[], names: readonly string[]): RunChange[] =>
  changes.flatMap(({ step, ...settings }) => {
    const left = Object.entries(settings).filter(([name]) => !names.includes(name));
    return left.length > 0 ? [{ step, ...Object.fromEntries(left) }] : [];
  });

/**
 * Changes as a phrase: `learning rate 0.001 and dropout 0 after step 40, evaluation interval 50 after step
 * 80`.
 */
export const describeChanges = (changes: readonly RunChange[]): string =>
  changes
    .map((change) => {
      const parts = namesIn(change).map((name) => `${rules[name][0]} ${change[name]}`);
      return `${parts.join(' and ')} after step ${change.step}`;
    })
    .join(', ');
