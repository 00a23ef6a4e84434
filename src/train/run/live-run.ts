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
import type { Recipe } from '../settings/training-recipe.ts';
import { checkSchedule, type ScheduleConfig } from '../update/schedule.ts';
import type { Trainer } from '../update/trainer.ts';
import type { UpdateConfig } from '../update/trainer-graphs.ts';
import type { Pause } from './loop.ts';

/** Settings at the start of a run. */
export interface FirstSettings {
  readonly args: CompleteArguments;
  readonly recipe: Pick<Recipe, 'checkBest'>;
  readonly data: { readonly config: ModelConfig };
  readonly update: Pick<UpdateConfig, 'schedule'>;
}

/** All changes of a run, past and future; if a device is lost, the next run gets the same list. */
export class ChangeList {
  #changes: readonly RunChange[] | undefined;

  /** The changes in the form of the setting `changes`; empty if there are none. */
  get text(): string {
    return formatChanges(this.#changes ?? []);
  }

  /** Reads the setting `changes`, unless that is done already. */
  read(text: string | undefined): void {
    this.#changes ??= parseChanges(text);
  }

  /** The changes up to a step. */
  upTo(step: number): RunChange[] {
    return (this.#changes ?? []).filter((change) => change.step <= step);
  }

  /** The changes at a step. */
  at(step: number): RunChange[] {
    return (this.#changes ?? []).filter((change) => change.step === step);
  }

  add(change: RunChange): void {
    this.#changes = [...(this.#changes ?? []), change].sort((a, b) => a.step - b.step);
  }
}

/** Sets the rate of all places that have dropout; of the default places (`usualDropout`) if none has. */
export function dropoutRates(before: DropoutRates, rate: number): DropoutRates {
  const places = (Object.keys(before) as (keyof DropoutRates)[]).filter((place) => before[place] > 0);
  if (places.length === 0) return { ...before, ...usualDropout(rate) };
  return { ...before, ...Object.fromEntries(places.map((place) => [place, rate])) };
}

/** The settings of a run after some changes. */
export function settingsAfter(
  { args, data, update }: FirstSettings,
  changes: readonly RunChange[],
): { readonly config: ModelConfig; readonly schedule: ScheduleConfig; readonly evalSteps: number } {
  const {
    learningRate = update.schedule.learningRate,
    dropout,
    evalSteps = args.evalSteps,
  } = mergeChanges(changes);
  const { config } = data;
  return {
    config: dropout === undefined ? config : { ...config, dropout: dropoutRates(config.dropout, dropout) },
    schedule: { ...update.schedule, learningRate },
    evalSteps,
  };
}

/** The settings of a run that may change between two updates. As a pause it applies the setting `changes`. */
export class LiveRun implements Pause {
  readonly #first: FirstSettings;
  readonly #trainer: Pick<Trainer, 'step' | 'schedule' | 'setDropout'>;
  readonly #changes: ChangeList;
  readonly #onChange: (change: LogChange) => void;
  #now: ReturnType<typeof settingsAfter>;
  /** Step up to which the changes are applied. */
  #appliedStep: number;

  /** Takes the settings of the trainer's step; `onChange` receives each later change. */
  constructor(
    first: FirstSettings,
    trainer: Pick<Trainer, 'step' | 'schedule' | 'setDropout'>,
    changes: ChangeList,
    onChange: (change: LogChange) => void,
  ) {
    this.#first = first;
    this.#trainer = trainer;
    this.#changes = changes;
    this.#onChange = onChange;
    this.#now = settingsAfter(first, changes.upTo(trainer.step));
    this.#appliedStep = trainer.step;
  }

  /** Updates between evaluations; 0: none. */
  get evalSteps(): number {
    return this.#now.evalSteps;
  }

  /** Settings of the next update. */
  get settings(): Required<LiveSettings> {
    const { schedule, config, evalSteps } = this.#now;
    return {
      learningRate: schedule.learningRate,
      dropout: Math.max(...Object.values(config.dropout)),
      evalSteps,
    };
  }

  /** Changes settings by hand: `RunningTraining.change`. */
  async change(given: LiveSettings): Promise<void> {
    const { step } = this.#trainer;
    const settings = withoutUndefined({ ...given });
    checkLiveSettings(settings);
    const change = { step, ...settings };
    checkAfter(this.#first, [...this.#changes.upTo(step), change]);
    this.#changes.add(change);
    this.#appliedStep = step;
    await this.#apply(change);
  }

  due(): boolean {
    const { step } = this.#trainer;
    return step > this.#appliedStep && this.#changes.at(step).length > 0;
  }

  async pause(_skipped: number, final: boolean): Promise<void> {
    const { step } = this.#trainer;
    if (final || this.#appliedStep === step) return;
    this.#appliedStep = step;
    for (const change of this.#changes.at(step)) await this.#apply(change);
  }

  async #apply(change: RunChange): Promise<void> {
    const before = this.#now.config.dropout;
    this.#now = settingsAfter(this.#first, this.#changes.upTo(this.#trainer.step));
    this.#trainer.schedule = this.#now.schedule;
    const { dropout } = this.#now.config;
    if (Object.entries(before).some(([place, rate]) => dropout[place as keyof DropoutRates] !== rate))
      await this.#trainer.setDropout(dropout);
    this.#onChange({ type: 'change', ...change });
  }
}

/** Throws a HeddleError if a change of the setting `changes` gives an invalid setting. */
export function checkChanges(prepared: FirstSettings): void {
  const changes = parseChanges(prepared.args.changes);
  for (const i of changes.keys()) checkAfter(prepared, changes.slice(0, i + 1));
}

/** Throws a HeddleError if the settings after some changes are invalid. */
function checkAfter(prepared: FirstSettings, changes: readonly RunChange[]): void {
  const { schedule, evalSteps } = settingsAfter(prepared, changes);
  checkSchedule(schedule);
  prepared.recipe.checkBest(evalSteps);
}
