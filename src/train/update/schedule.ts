// Learning rate schedules: functions of the step, from 0. All warm up linearly from 0 over `warmupSteps`.

import { check } from '../../core/errors.ts';
import {
  checkFields,
  choice,
  type FieldTable,
  integer,
  notNegative,
  positive,
  rejectField,
  type ValuesOf,
} from '../../core/fields.ts';
import { msg, option } from '../../core/message.ts';

/** Names of the schedules. `learning_rate` in src/features/pytorch/torch-run/optimizer.py mirrors them for PyTorch. */
export const scheduleNames = ['constant', 'linear', 'cosine', 'inverse-sqrt', 'noam'] as const;

/** The schedules that decay to a minimum at a last step. */
export const decayingSchedules = [
  'linear',
  'cosine',
] as const satisfies readonly (typeof scheduleNames)[number][];

/** The fields of the configuration of a schedule. The settings of training have their help texts. */
export const scheduleFields = {
  kind: { type: choice(scheduleNames), default: 'constant' },
  learningRate: { type: positive('rate') },
  warmupSteps: { type: integer(0, 'steps') },
  steps: { type: integer(1, 'steps') },
  minLearningRate: {
    type: notNegative('rate'),
    default: 0,
  },
  dModel: { type: integer(1) },
} as const satisfies FieldTable;

/** Configuration of a schedule, as plain data. */
export type ScheduleConfig = ValuesOf<typeof scheduleFields>;

/** Whether a schedule decays to a minimum. */
const decays = ({ kind }: Pick<ScheduleConfig, 'kind'>): boolean =>
  (decayingSchedules as readonly string[]).includes(kind);

/**
 * Default warm-up: a tenth of the steps of `linear` and `cosine`, at most 100; 400 steps of `inverse-sqrt`
 * and `noam`; 0 for `constant`.
 */
function defaultWarmupSteps(kind: ScheduleConfig['kind'], steps: number): number {
  if (kind === 'constant') return 0;
  return decays({ kind }) ? Math.min(100, Math.floor(steps / 10)) : 400;
}

/**
 * Returns a complete schedule for a model of width `dModel` and `steps` updates; throws a HeddleError that
 * names a wrong field.
 */
export function scheduleConfig(
  given: Partial<ScheduleConfig> & Pick<ScheduleConfig, 'learningRate'>,
  { steps, dModel }: Pick<ScheduleConfig, 'steps' | 'dModel'>,
): ScheduleConfig {
  const kind = given.kind ?? 'constant';
  const warmupSteps = defaultWarmupSteps(kind, given.steps ?? steps);
  const schedule = { kind, warmupSteps, minLearningRate: 0, dModel, steps, ...given };
  checkSchedule(schedule);
  return schedule;
}

/** Checks a schedule; throws a HeddleError that names the field. */
export function checkSchedule(s: ScheduleConfig): void {
  const names = { area: 'schedule' };
  checkFields(names, scheduleFields, s);
  if (s.minLearningRate > s.learningRate)
    rejectField(
      names,
      'minLearningRate',
      s.minLearningRate,
      msg`at most ${option('learningRate')}, ${s.learningRate}`,
    );
  if (s.kind === 'inverse-sqrt' || s.kind === 'noam')
    check(s.warmupSteps >= 1, msg`${s.kind} needs ${option('warmupSteps')} of at least 1`, {
      area: 'schedule',
    });
  if (decays(s))
    check(
      s.steps > s.warmupSteps,
      msg`${option('warmupSteps')} (${s.warmupSteps}) must be below the ${s.steps} steps of the ${s.kind} schedule; lower ${option('warmupSteps')} or raise ${option('steps')}`,
      { area: 'schedule' },
    );
}

/**
 * Returns the step at which a schedule reaches its minimum learning rate; undefined if it does not decay to
 * one.
 */
export const decayEnd = (s: ScheduleConfig): number | undefined => (decays(s) ? s.steps : undefined);

/**
 * Returns the learning rate of update `step`, from 0. With t = step + 1 and w = warmupSteps: constant:
 * lr·min(1, t/w). linear: lr·t/w, from t = w on min + (lr - min)·u with u = (steps - t)/(steps - w). cosine:
 * the same with (1 - cos(π·u))/2 for u. inverse-sqrt: lr·min(t/w, sqrt(w/t)). noam:
 * lr·dModel^-0.5·min(t^-0.5, t·w^-1.5) (Vaswani et al., 2017, equation 3).
 */
export function learningRate(s: ScheduleConfig, step: number): number {
  const t = step + 1;
  const w = s.warmupSteps;
  const warm = w > 0 ? Math.min(1, t / w) : 1;
  const left = Math.min(1, Math.max(0, (s.steps - t) / Math.max(1, s.steps - w)));
  const between = (share: number) => s.minLearningRate + (s.learningRate - s.minLearningRate) * share;
  switch (s.kind) {
    case 'constant':
      return s.learningRate * warm;
    case 'linear':
      return t < w ? s.learningRate * warm : between(left);
    case 'cosine':
      return t < w ? s.learningRate * warm : between(0.5 * (1 + Math.cos(Math.PI * (1 - left))));
    case 'inverse-sqrt':
      return s.learningRate * Math.min(t / w, Math.sqrt(w / t));
    case 'noam':
      return s.learningRate * s.dModel ** -0.5 * Math.min(t ** -0.5, t * w ** -1.5);
  }
}
