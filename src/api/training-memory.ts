// What a training needs beside its largest plan, and whether it fits the device or a budget.

import { formatBytes } from '../core/format-numbers.ts';
import type { Device } from '../engine/gpu/device.ts';
import { absentBytes, paramAlign } from '../engine/gpu/recorded-passes.ts';
import { align } from '../engine/plan/lifetimes.ts';
import type { Plan } from '../engine/plan/plan.ts';

/** Memory of a training beside the plan with the largest peak, in bytes. */
export interface MemoryBeside {
  /** GPU buffers: of other plans, of Params and results, and the one that weights are read through. */
  readonly staging: number;
  /** JavaScript memory. */
  readonly javascript: number;
}

/** Maximum number of runs of a program whose results are pending. */
const inFlight = 3;

/** Programs of each shape: training, and evaluation, which has fewer passes. */
const programs = 2;

/** The buffers of a program for bindings that a kernel does not use: one to read, and for up to 15 to write. */
const absentBuffers = 16 * absentBytes;

/** Bytes of the results of a run. */
const resultsOf = ({ outputs }: Plan): number =>
  Object.values(outputs).reduce((sum, { range }) => sum + align(range.bytes), 0);

/**
 * The memory beside the largest of some plans. `parameters`: number of the model's parameters; `ids`: bytes of the
 * encoded corpus.
 */
export function memoryBeside(plans: readonly Plan[], parameters: number, ids: number): MemoryBeside {
  const shared = new Map<string, number>();
  let perProgram = 0;
  let javascript = 0;
  for (const plan of plans) {
    for (const { kind, name, bytes } of plan.buffers)
      if (kind === 'inputs') perProgram += programs * Math.max(bytes, paramAlign);
      else shared.set(name, Math.max(bytes, shared.get(name) ?? 0));
    perProgram += programs * (plan.passes.length * paramAlign + inFlight * resultsOf(plan) + absentBuffers);
    javascript = Math.max(javascript, plan.bytes.inputs + inFlight * resultsOf(plan));
  }
  const sum = [...shared.values()].reduce((total, bytes) => total + bytes, perProgram);
  const peak = Math.max(0, ...plans.map(({ bytes }) => bytes.peak));
  // Weights are read through a buffer of the size of the trained ones, as are the gradients.
  const read = shared.get('gradients') ?? 4 * parameters;
  return { staging: sum - peak + read, javascript: javascript + 4 * parameters + ids };
}

/** Why plans do not fit the device; empty if they fit. `beside`: if the limit is a budget of all memory. */
export function whyNotFit(
  plans: readonly Plan[],
  device: Device,
  memoryLimit = Number.POSITIVE_INFINITY,
  beside?: MemoryBeside,
): string {
  const { maxBufferSize } = device.gpu.limits;
  const smaller = 'Use a smaller batch, model or vocabulary.';
  for (const plan of plans) {
    const buffer = plan.buffers.find((b) => b.bytes > maxBufferSize);
    if (buffer)
      return `The training does not fit: buffer ${buffer.name} needs ${formatBytes(buffer.bytes)}, this device allows ${formatBytes(maxBufferSize)}. ${smaller}`;
    const { staging = 0, javascript = 0 } = beside ?? {};
    const need = plan.bytes.peak + staging + javascript;
    const parts = javascript > 0 ? `, of which ${formatBytes(javascript)} are JavaScript's` : '';
    if (need > memoryLimit)
      return `The training does not fit: it needs ${formatBytes(need)} of memory${parts}, ${beside ? 'the memory budget is' : 'this device has'} ${formatBytes(memoryLimit)}. ${smaller}`;
  }
  return '';
}
