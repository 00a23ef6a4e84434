// The memory of a training, from the plans of its trainer, and whether it fits the device or a budget.

import { byteSize, type Message, msg } from '../../core/message.ts';
import type { Device } from '../../engine/gpu/device.ts';
import { absentBytes, paramAlign } from '../../engine/gpu/recorded-passes.ts';
import { align } from '../../engine/plan/lifetimes.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import type { TrainerPlans } from './trainer-graphs.ts';

/** Memory of a training, in bytes. */
export interface TrainingMemory {
  /** GPU memory of an update, and its parts: weights, gradients and moments; activations; the largest batch. */
  readonly peak: number;
  readonly states: number;
  readonly slots: number;
  readonly inputs: number;
  /** Other GPU buffers: of other plans, of Params and results, and the one that weights are read through. */
  readonly staging: number;
  /** JavaScript memory. */
  readonly javascript: number;
}

/** The buffers of a program for bindings that a kernel does not use: one to read, and for up to 15 to write. */
const absentBuffers = 16 * absentBytes;

/** Bytes of the results of a run. */
const resultsOf = ({ outputs }: Plan): number =>
  Object.values(outputs).reduce((sum, { range }) => sum + align(range.bytes), 0);

/** The plan with the largest peak; undefined if there is none. */
export const largestPlan = (plans: readonly Plan[]): Plan | undefined =>
  plans.reduce<Plan | undefined>((a, b) => (a && a.bytes.peak >= b.bytes.peak ? a : b), undefined);

/**
 * The memory of all programs of a trainer. States and slots are shared, as `GpuEngine` does: each state once, and slot i
 * as large as the i-th largest of any plan. `parameters`: number of the model's parameters; `ids`: bytes of the encoded
 * corpus.
 */
export function trainingMemory(
  { training, others, inFlight }: TrainerPlans,
  parameters: number,
  ids: number,
): TrainingMemory {
  const plans = [...training, ...others];
  const states = new Map<string, number>();
  const slots: number[] = [];
  let own = 0;
  let javascript = 0;
  for (const plan of plans) {
    const sizes: number[] = [];
    for (const { kind, name, bytes } of plan.buffers)
      if (kind === 'inputs') own += Math.max(bytes, paramAlign);
      else if (kind === 'state') states.set(name, Math.max(bytes, states.get(name) ?? 0));
      else sizes.push(bytes);
    for (const [i, bytes] of sizes.sort((a, b) => b - a).entries()) slots[i] = Math.max(bytes, slots[i] ?? 0);
    own += plan.passes.length * paramAlign + inFlight * resultsOf(plan) + absentBuffers;
    javascript = Math.max(javascript, plan.bytes.inputs + inFlight * resultsOf(plan));
  }
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, bytes) => total + bytes, 0);
  const batch = Math.max(0, ...training.map(({ bytes }) => bytes.inputs));
  const [allStates, allSlots] = [sum(states.values()), sum(slots)];
  // Weights are read through a buffer of the size of the trained ones, as are the gradients.
  const read = states.get('gradients') ?? 4 * parameters;
  return {
    peak: allStates + allSlots + batch,
    states: allStates,
    slots: allSlots,
    inputs: batch,
    staging: own - batch + read,
    javascript: javascript + 4 * parameters + ids,
  };
}

/** Why a training does not fit the device; undefined if it fits. `budget`: of GPU and JavaScript memory together. */
export function whyNotFit(
  { training, others }: TrainerPlans,
  memory: TrainingMemory,
  { gpu }: Device,
  {
    memoryLimit = Number.POSITIVE_INFINITY,
    budget,
  }: { readonly memoryLimit?: number; readonly budget?: number },
): Message | undefined {
  const { maxBufferSize } = gpu.limits;
  for (const plan of [...training, ...others]) {
    const buffer = plan.buffers.find(({ bytes }) => bytes > maxBufferSize);
    if (buffer)
      return msg`The training does not fit: buffer ${buffer.name} needs ${byteSize(buffer.bytes)}, this device allows ${byteSize(maxBufferSize)}. Use a smaller batch, model or vocabulary.`;
  }
  const { peak, staging, javascript } = memory;
  const all = peak + staging + javascript;
  if (budget !== undefined && all > budget)
    return msg`The training does not fit: it needs ${byteSize(all)} of memory, of which ${byteSize(javascript)} are JavaScript's, the memory budget is ${byteSize(budget)}. Use a smaller batch, model or vocabulary.`;
  if (budget === undefined && peak > memoryLimit)
    return msg`The training does not fit: it needs ${byteSize(peak)} of memory, this device has ${byteSize(memoryLimit)}. Use a smaller batch, model or vocabulary.`;
  return undefined;
}
