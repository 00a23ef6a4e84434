// The memory of a training, from the plans of its trainer, and whether it fits the device or a budget.

import { byteSize, type Message, msg } from '../../core/message.ts';
import type { Device } from '../../engine/gpu/device.ts';
import { swapBytes } from '../../engine/gpu/gpu-engine.ts';
import { absentBytes, paramAlign } from '../../engine/gpu/recorded-passes.ts';
import { align } from '../../engine/plan/lifetimes.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import type { TrainerPlans } from './trainer-graphs.ts';

/** Memory of a training, in bytes. */
export interface TrainingMemory {
  /** Bytes of the GPU memory of an update: the sum of `states`, `slots` and `inputs`. */
  readonly peak: number;
  /** Bytes of weights, optimizer state and other tensors that stay between steps. */
  readonly states: number;
  /** Bytes of the results of a step. */
  readonly slots: number;
  /** Bytes of the batches. */
  readonly inputs: number;
  /**
   * Other GPU buffers: of other plans, such as those that translate dev and test pairs, of Params and results, and those
   * that weights are read and swapped through.
   */
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

/** Counts the memory that plans take on an engine, as `GpuEngine` allocates it. */
class MemoryCount {
  /** Bytes of the inputs, Params and results of all plans. */
  own = 0;
  /** The largest inputs and results of a plan. */
  host = 0;
  readonly #states = new Map<string, number>();
  #slots: number[] = [];
  /** Bytes of slots that later plans have replaced by larger ones; earlier plans keep using them. */
  #replaced = 0;

  /** Adds plans that are prepared together: each state once, and slot i as large as the i-th largest of any plan. */
  add(plans: readonly Plan[], inFlight: number): void {
    const slots: number[] = [];
    for (const plan of plans) {
      const sizes: number[] = [];
      for (const { kind, name, bytes } of plan.buffers)
        if (kind === 'inputs') this.own += Math.max(bytes, paramAlign);
        else if (kind === 'state') this.#states.set(name, Math.max(bytes, this.#states.get(name) ?? 0));
        else sizes.push(bytes);
      for (const [i, bytes] of sizes.sort((a, b) => b - a).entries())
        slots[i] = Math.max(bytes, slots[i] ?? 0);
      const results = inFlight * resultsOf(plan);
      this.own += plan.passes.length * paramAlign + results + absentBuffers;
      this.host = Math.max(this.host, plan.bytes.inputs + results);
    }
    for (const [i, bytes] of slots.entries()) {
      const before = this.#slots[i] ?? 0;
      if (before >= bytes) continue;
      this.#replaced += before;
      this.#slots[i] = bytes;
    }
  }

  state(name: string): number | undefined {
    return this.#states.get(name);
  }

  /** Bytes of all GPU buffers. */
  get all(): number {
    return this.own + this.states + this.slots;
  }

  get states(): number {
    return sum(this.#states.values());
  }

  get slots(): number {
    return sum(this.#slots) + this.#replaced;
  }
}

const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, bytes) => total + bytes, 0);

/** Number of pending runs of programs that are no trainer's. */
const usualRuns = 3;

/**
 * The memory of all programs of a trainer. `parameters`: number of the model's parameters; `ids`: bytes of the encoded
 * corpus.
 */
export function trainingMemory(
  { training, others, inFlight, dev, test }: TrainerPlans,
  parameters: number,
  ids: number,
): TrainingMemory {
  const count = new MemoryCount();
  count.add([...training, ...others], inFlight);
  const { states, slots } = count;
  const batch = Math.max(0, ...training.map(({ bytes }) => bytes.inputs));
  const peak = states + slots + batch;
  for (const plans of dev ?? []) count.add(plans, usualRuns);
  // The average is swapped with the weights for an evaluation.
  const swapped = dev ? Math.min(swapBytes, count.state('average') ?? 0) : 0;
  // Weights are read through a buffer of the size of the trained ones, for the last time before the test pairs.
  const read = count.all + (count.state('gradients') ?? 4 * parameters);
  count.add(test, usualRuns);
  return {
    peak,
    states,
    slots,
    inputs: batch,
    staging: Math.max(read, count.all) + swapped - peak,
    javascript: count.host + 4 * parameters + ids,
  };
}

/** Why a training does not fit the device; undefined if it fits. `budget`: of GPU and JavaScript memory together. */
export function whyNotFit(
  { training, others, dev = [], test }: TrainerPlans,
  memory: TrainingMemory,
  { gpu }: Device,
  {
    memoryLimit = Number.POSITIVE_INFINITY,
    budget,
  }: { readonly memoryLimit?: number; readonly budget?: number },
): Message | undefined {
  const { maxBufferSize } = gpu.limits;
  for (const plan of [...training, ...others, ...dev.flat(), ...test]) {
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
