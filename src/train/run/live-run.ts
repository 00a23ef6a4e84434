// Settings that change during a run: by hand through the training gate, or at the steps in the setting
// `changes`. The run stores all changes, so that it gives the same bits if it is repeated, resumed, or
// recovered from a lost device.

import { withoutUndefined } from '../../files/json-files.ts';
import type { DropoutRates, ModelConfig } from '../../model/model-config.ts';
import { usualDropout } from '../../model/model-fields.ts';
import type { LiveSettings, RunChange } from '../report/run-changes.ts';
import { checkLiveSettings, formatChanges, mergeChanges, parseChanges } from '../report/run-changes.ts';
import type { LogChange } from '../report/training-log.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import { checkSchedule, type ScheduleConfig } from '../update/schedule.ts';
import type { Recipe, Trainer } from '../update/trainer.ts';
import { checkBest } from './selection.ts';

/** Settings at the start of a run. */
export interface FirstSettings {
  readonly args: CompleteArguments;
  readonly task: { readonly config: ModelConfig };
  readonly recipe: Pick<Recipe, 'schedule'>;
}

/** All changes of a run, past and future; the attempts of a run share the list. */
export type ChangeList = ReturnType<typeof createChangeList>;

/** Creates an empty list. */
export function createChangeList() {
  let changes: RunChange[] | undefined;
  const all = () => changes ?? [];
  return {
    /** The changes in the form of the setting `changes`; empty if there are none. */
    get text(): string {
      return formatChanges(all());
    },
    /** Reads the setting `changes`, unless an earlier attempt did. */
    read(text: string | undefined): void {
      changes ??= parseChanges(text);
    },
    /** The changes up to a step, and the changes at a step. */
    upTo: (step: number): RunChange[] => all().filter((change) => change.step <= step),
    at: (step: number): RunChange[] => all().filter((change) => change.step === step),
    add(change: RunChange): void {
      changes = [...all(), change].sort((a, b) => a.step - b.step);
    },
  };
}

/** Sets the rate of all places that have dropout; of the default places (`usualDropout`) if none has. */
export function dropoutRates(before: DropoutRates, rate: number): DropoutRates {
  const places = (Object.keys(before) as (keyof DropoutRates)[]).filter((place) => before[place] > 0);
  if (places.length === 0) return { ...before, ...usualDropout(rate) };
  return { ...before, ...Object.fromEntries(places.map((place) => [place, rate])) };
}

/** The current values of the settings that may change. */
export type LiveRun = ReturnType<typeof createLiveRun>;

/** The settings of a run after some changes. */
export function settingsAfter(
  { args, task, recipe }: FirstSettings,
  changes: readonly RunChange[],
): { readonly config: ModelConfig; readonly schedule: ScheduleConfig; readonly evalSteps: number } {
  const {
    learningRate = recipe.schedule.learningRate,
    dropout,
    evalSteps = args.evalSteps,
  } = mergeChanges(changes);
  const { config } = task;
  return {
    config: dropout === undefined ? config : { ...config, dropout: dropoutRates(config.dropout, dropout) },
    schedule: { ...recipe.schedule, learningRate },
    evalSteps,
  };
}

/** Creates the live settings of a run at its first step; `onChange` receives each change. */
export function createLiveRun(
  setup: FirstSettings,
  trainer: Pick<Trainer, 'step' | 'schedule' | 'setDropout'>,
  changes: ChangeList,
  onChange: (change: LogChange) => void,
) {
  let now = settingsAfter(setup, changes.upTo(trainer.step));
  /** Step up to which the changes are applied. */
  let appliedStep = trainer.step;
  async function apply(change: RunChange): Promise<void> {
    const before = now.config.dropout;
    now = settingsAfter(setup, changes.upTo(trainer.step));
    trainer.schedule = now.schedule;
    if (
      Object.entries(before).some(([place, rate]) => now.config.dropout[place as keyof DropoutRates] !== rate)
    )
      await trainer.setDropout(now.config.dropout);
    onChange({ type: 'change', ...change });
  }
  return {
    /** Updates between evaluations; 0: none. */
    get evalSteps(): number {
      return now.evalSteps;
    },
    /** Settings of the next update. */
    settings: (): Required<LiveSettings> => ({
      learningRate: now.schedule.learningRate,
      dropout: Math.max(...Object.values(now.config.dropout)),
      evalSteps: now.evalSteps,
    }),
    /** Changes settings by hand: `RunningTraining.change`. */
    async change(given: LiveSettings): Promise<void> {
      const settings = withoutUndefined({ ...given });
      checkLiveSettings(settings);
      const change = { step: trainer.step, ...settings };
      checkAfter(setup, [...changes.upTo(trainer.step), change]);
      changes.add(change);
      appliedStep = trainer.step;
      await apply(change);
    },
    /** The pause that applies the changes of the setting `changes`. */
    pause: {
      due: () => trainer.step > appliedStep && changes.at(trainer.step).length > 0,
      async pause(_: number, final: boolean) {
        if (final || appliedStep === trainer.step) return;
        appliedStep = trainer.step;
        for (const change of changes.at(trainer.step)) await apply(change);
      },
    },
  };
}

/**
 * Throws a HeddleError if a change of the setting `changes` gives an invalid setting; `log` receives a
 * message about changes after the last step.
 */
export function checkChanges(
  setup: FirstSettings & { readonly steps: number },
  log: (text: string) => void,
): void {
  const changes = parseChanges(setup.args.changes);
  const late = changes.filter(({ step }) => step > setup.steps);
  if (late.length > 0)
    log(`changes after the last step, ${setup.steps}, have no effect: ${formatChanges(late)}`);
  for (const i of changes.keys()) checkAfter(setup, changes.slice(0, i + 1));
}

/** Throws a HeddleError if the settings after some changes are invalid. */
function checkAfter(setup: FirstSettings, changes: readonly RunChange[]): void {
  const { schedule, evalSteps } = settingsAfter(setup, changes);
  checkSchedule(schedule);
  checkBest({ ...setup.args, evalSteps });
}
