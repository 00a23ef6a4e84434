// Learning rate schedules: functions of the step, from 0. All warm up linearly from 0 over `warmupSteps`.

import { check } from '../../core/errors.ts';

/** Names of the schedules. */
export const scheduleNames = ['constant', 'linear', 'cosine', 'inverse-sqrt', 'noam'] as const;

/** Configuration of a schedule, as plain data. */
export interface ScheduleConfig {
  readonly kind: (typeof scheduleNames)[number];
  /** Maximum learning rate; for `noam` the factor of its formula. */
  readonly learningRate: number;
  /** Steps of warm-up; `inverse-sqrt` and `noam` need at least 1. */
  readonly warmupSteps: number;
  /** Step at which `linear` and `cosine` reach `minLearningRate`. */
  readonly steps: number;
  /** Minimum learning rate of `linear` and `cosine`. */
  readonly minLearningRate: number;
  /** Model width, for `noam`. */
  readonly dModel: number;
}

/**
 * Default warm-up: a tenth of the steps of `linear` and `cosine`, at most 100; 400 steps of `inverse-sqrt`
 * and `noam`; 0 for `constant`.
 */
function defaultWarmupSteps(kind: ScheduleConfig['kind'], steps: number): number {
  if (kind === 'constant') return 0;
  return kind === 'linear' || kind === 'cosine' ? Math.min(100, Math.floor(steps / 10)) : 400;
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
  check(scheduleNames.includes(s.kind), `schedule: ${s.kind} is not one of ${scheduleNames.join(', ')}`);
  check(
    s.learningRate > 0 && Number.isFinite(s.learningRate),
    `schedule: learningRate is ${s.learningRate}, it must be above 0`,
  );
  check(
    Number.isInteger(s.warmupSteps) && s.warmupSteps >= 0,
    `schedule: warmupSteps is ${s.warmupSteps}, it must be a whole number of steps`,
  );
  check(
    s.minLearningRate >= 0 && s.minLearningRate <= s.learningRate,
    `schedule: minLearningRate is ${s.minLearningRate}, it must be 0 to learningRate`,
  );
  if (s.kind === 'inverse-sqrt' || s.kind === 'noam')
    check(s.warmupSteps >= 1, `schedule: ${s.kind} needs warmupSteps of at least 1`);
  if (s.kind === 'linear' || s.kind === 'cosine')
    check(
      s.steps > s.warmupSteps,
      `schedule: warmupSteps (${s.warmupSteps}) must be below the ${s.steps} steps of the ${s.kind} schedule; lower warmupSteps or raise steps`,
    );
}

/**
 * Returns the step at which a schedule reaches its minimum learning rate; undefined if it does not decay to
 * one.
 */
export const decayEnd = ({ kind, steps }: ScheduleConfig): number | undefined =>
  kind === 'linear' || kind === 'cosine' ? steps : undefined;

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
