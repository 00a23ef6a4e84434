// Settings that change while a run trains: by hand through the training gate, or at the steps that the setting `changes`
// lists. All changes are kept with the run, so that it gives the same bits after a resume, a lost device, or repeated.

import type { DropoutRates, ModelConfig } from '../model/model-config.ts';
import {
  checkLiveSettings,
  formatChanges,
  type LiveSettings,
  mergeChanges,
  parseChanges,
  type RunChange,
} from '../report/run-changes.ts';
import type { LogChange } from '../report/training-log.ts';
import { checkSchedule, type ScheduleConfig } from '../trainer/schedule.ts';
import type { Recipe, Trainer } from '../trainer/trainer.ts';
import type { Pause } from './loop.ts';
import { checkBest } from './selection.ts';
import type { CompleteArguments } from './train-arguments.ts';

/** The settings that a run starts with. */
export interface FirstSettings {
  readonly args: CompleteArguments;
  readonly task: { readonly config: ModelConfig };
  readonly recipe: Pick<Recipe, 'schedule'>;
}

/** All changes of a run, those of the future included; attempts share it. */
export interface ChangeList {
  /** The changes as the setting `changes`; empty if there are none. */
  readonly text: string;
  /** Reads the setting, unless an earlier attempt has. */
  read(text: string | undefined): void;
  /** The changes up to a step, and those of exactly a step. */
  upTo(step: number): readonly RunChange[];
  at(step: number): readonly RunChange[];
  add(change: RunChange): void;
}

/** Creates an empty list. */
export function createChangeList(): ChangeList {
  let changes: RunChange[] | undefined;
  const all = () => changes ?? [];
  return {
    get text() {
      return formatChanges(all());
    },
    read(text) {
      changes ??= parseChanges(text);
    },
    upTo: (step) => all().filter((change) => change.step <= step),
    at: (step) => all().filter((change) => change.step === step),
    add(change) {
      changes = [...all(), change].sort((a, b) => a.step - b.step);
    },
  };
}

/** Places in which dropout is by default. */
const usual: readonly (keyof DropoutRates)[] = ['embedding', 'attention', 'feedForward', 'residual'];

/** Rates of a model with another rate in all places that have one, or else in the usual ones. */
export function dropoutRates(before: DropoutRates, rate: number): DropoutRates {
  const places = (Object.keys(before) as (keyof DropoutRates)[]).filter((place) => before[place] > 0);
  return { ...before, ...Object.fromEntries((places.length > 0 ? places : usual).map((place) => [place, rate])) };
}

/** The settings of a run that may change. */
export interface LiveRun {
  /** Updates between evaluations; 0: none. */
  readonly evalSteps: number;
  /** Settings of the next update. */
  settings(): Required<LiveSettings>;
  /** Changes them by hand, as `RunningTraining.change`. */
  change(given: LiveSettings): Promise<void>;
  /** The pause in which the changes of the setting `changes` are made. */
  readonly pause: Pause;
}

/** What a run starts with, changes up to its first step included. */
export function startOf(
  { args, task, recipe }: FirstSettings,
  changes: readonly RunChange[],
): { readonly config: ModelConfig; readonly schedule: ScheduleConfig; readonly evalSteps: number } {
  const { learningRate = recipe.schedule.learningRate, dropout, evalSteps = args.evalSteps } = mergeChanges(changes);
  const { config } = task;
  return {
    config: dropout === undefined ? config : { ...config, dropout: dropoutRates(config.dropout, dropout) },
    schedule: { ...recipe.schedule, learningRate },
    evalSteps,
  };
}

/** Creates the live settings of a run whose trainer is at its first step; `onChange` receives each change. */
export function createLiveRun(
  setup: FirstSettings,
  trainer: Pick<Trainer, 'step' | 'schedule' | 'setDropout'>,
  changes: ChangeList,
  onChange: (change: LogChange) => void,
): LiveRun {
  let now = startOf(setup, changes.upTo(trainer.step));
  /** Step up to which the listed changes are made. */
  let made = trainer.step;
  async function apply(change: RunChange): Promise<void> {
    const before = now.config.dropout;
    now = startOf(setup, [...changes.upTo(trainer.step)]);
    trainer.schedule = now.schedule;
    if (Object.entries(before).some(([place, rate]) => now.config.dropout[place as keyof DropoutRates] !== rate))
      await trainer.setDropout(now.config.dropout);
    onChange({ type: 'change', ...change });
  }
  return {
    get evalSteps() {
      return now.evalSteps;
    },
    settings: () => ({
      learningRate: now.schedule.learningRate,
      dropout: Math.max(...Object.values(now.config.dropout)),
      evalSteps: now.evalSteps,
    }),
    async change(given) {
      const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      checkLiveSettings(settings);
      const next = startOf(setup, [...changes.upTo(trainer.step), { step: trainer.step, ...settings }]);
      checkSchedule(next.schedule);
      checkBest({ ...setup.args, evalSteps: next.evalSteps });
      const change = { step: trainer.step, ...settings };
      changes.add(change);
      made = trainer.step;
      await apply(change);
    },
    pause: {
      every: 0,
      due: () => trainer.step > made && changes.at(trainer.step).length > 0,
      async pause(_, final) {
        if (final || made === trainer.step) return;
        made = trainer.step;
        for (const change of changes.at(trainer.step)) await apply(change);
      },
    },
  };
}

/**
 * Checks the setting `changes`: each of them must leave settings that a run can have. Throws a HeddleError; `log` receives a message about
 * changes after the last step.
 */
export function checkChanges(setup: FirstSettings & { readonly steps: number }, log: (text: string) => void): void {
  const changes = parseChanges(setup.args.changes);
  const late = changes.filter(({ step }) => step > setup.steps);
  if (late.length > 0) log(`changes after the last step, ${setup.steps}, are not made: ${formatChanges(late)}`);
  for (const i of changes.keys()) {
    const { schedule, evalSteps } = startOf(setup, changes.slice(0, i + 1));
    checkSchedule(schedule);
    checkBest({ ...setup.args, evalSteps });
  }
}
