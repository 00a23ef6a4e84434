// A runner: a plan ready to run on the GPU. A run writes the inputs, records one command buffer and submits
// it, or several if the pace of the device limits submissions; outputs come back through a ring of staging
// buffers. After `Runner.open` only command encoders are created.

import { check } from '../../core/errors.ts';
import { arrayTypes, sizeOf, type TensorData } from '../../core/tensor.ts';
import type { Plan } from '../plan/plan.ts';
import type { Device } from './device.ts';
import { OutputRing, type Outputs } from './output-ring.ts';
import type { Kernel, Pipelines } from './pipelines.ts';
import { whenDone } from './readback.ts';
import {
  type AbsentBuffers,
  absentBytes,
  type BufferAt,
  bindPass,
  PassRecorder,
  packParams,
  paramAlign,
} from './recorded-passes.ts';
import type { Timestamps } from './timestamps.ts';

/** Settings of a runner. */
export interface RunnerOptions {
  /**
   * Maximum number of runs whose outputs are pending at once; the ring has that many staging buffers. Default
   * 3.
   */
  readonly inFlight?: number;
}

/** A plan that is ready to run on the GPU. */
export class Runner {
  readonly plan: Plan;
  /** Host memory of the inputs by name. Fill the arrays before each run; they are never replaced. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  readonly #device: Device;
  /** The memory of all inputs, uploaded in one write. */
  readonly #inputBytes: ArrayBuffer;
  readonly #inputBuffer: GPUBuffer;
  readonly #paramBuffer: GPUBuffer;
  readonly #bufferAt: BufferAt;
  readonly #outputs: OutputRing;
  /** All buffers of the runner, to destroy. */
  readonly #own: GPUBuffer[] = [];
  #recorder: PassRecorder | undefined;

  private constructor(
    device: Device,
    plan: Plan,
    buffers: readonly (GPUBuffer | undefined)[],
    inFlight: number,
  ) {
    this.plan = plan;
    this.#device = device;
    this.#inputBytes = new ArrayBuffer(Math.max(paramAlign, plan.bytes.inputs));
    this.inputs = inputViews(plan, this.#inputBytes);
    const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const size = this.#inputBytes.byteLength;
    this.#inputBuffer = this.#create('inputs', size, STORAGE | UNIFORM | COPY_DST | COPY_SRC);
    this.#bufferAt = (i) => buffers[i] ?? this.#inputBuffer;
    const paramBytes = Math.max(1, plan.passes.length) * paramAlign;
    this.#paramBuffer = this.#create('params', paramBytes, UNIFORM | COPY_DST);
    const create = (label: string, bytes: number, usage: number) => this.#create(label, bytes, usage);
    this.#outputs = new OutputRing(device, plan, inFlight, create, this.#bufferAt);
  }

  /**
   * Opens a runner. `buffers` are the GPU buffers of the plan's states and slots, undefined for the inputs.
   * Buffers are created before the first await: the error scope around it reports that memory is exhausted.
   */
  static async open(
    device: Device,
    pipelines: Pipelines,
    plan: Plan,
    buffers: readonly (GPUBuffer | undefined)[],
    { inFlight = 3 }: RunnerOptions = {},
  ): Promise<Runner> {
    const runner = new Runner(device, plan, buffers, inFlight);
    const absent = runner.#absentBuffers();
    const kernels = await Promise.all(plan.passes.map((pass) => pipelines.get(pass)));
    const paramBuffer = runner.#paramBuffer;
    // Deno ends if a write has no bytes.
    if (kernels.length > 0) device.gpu.queue.writeBuffer(paramBuffer, 0, packParams(plan.passes, kernels));
    const bound = plan.passes.map((pass, i) =>
      bindPass(device.gpu, pass, kernels[i] as Kernel, { paramBuffer, i }, runner.#bufferAt, absent),
    );
    runner.#recorder = new PassRecorder(bound, runner.#bufferAt);
    return runner;
  }

  /**
   * Submits one run; resolves to its outputs. Throws if `inFlight` runs are pending already. Rejects with a
   * HeddleError if the device was lost or reported an error.
   */
  run(): Promise<Outputs> {
    this.#device.check();
    const staging = this.#outputs.take();
    this.#submitRuns(1, (encoder) => this.#outputs.copy(encoder, staging));
    return this.#outputs.read(staging);
  }

  /** Submits one run without reading outputs. */
  submit(): void {
    this.#submitRuns(1);
  }

  /**
   * Runs all passes `repeats` times in one submission, or in as few as the pace of the device allows; resolves
   * to the milliseconds per run by the host's clock.
   */
  async time(repeats: number): Promise<number> {
    return (await this.clock(repeats)).host / repeats;
  }

  /**
   * Like `time`, but resolves to the milliseconds of all runs together: by the host's clock and by the first
   * two timestamps, undefined without timestamps or if they are not increasing. All dispatches are in one
   * pass, unless memory is cleared between them.
   */
  async clock(repeats: number, timestamps?: Timestamps): Promise<{ host: number; gpu: number | undefined }> {
    const { queue } = this.#device.gpu;
    const { querySet } = timestamps ?? {};
    const from = this.#submitRuns(repeats, (encoder) => timestamps?.resolve(encoder), querySet);
    await whenDone(queue, queue.onSubmittedWorkDone());
    const host = performance.now() - from;
    this.#device.check();
    const [begin = 0n, end = 0n] = (await timestamps?.read()) ?? [];
    return { host, gpu: end > begin ? Number(end - begin) / 1e6 : undefined };
  }

  /** Destroys the buffers of the runner. */
  destroy(): void {
    for (const b of this.#own.splice(0)) b.destroy();
  }

  /** Creates a buffer that is destroyed with the runner. */
  #create(label: string, size: number, usage: number): GPUBuffer {
    const buffer = this.#device.gpu.createBuffer({ label, size, usage });
    this.#own.push(buffer);
    return buffer;
  }

  /** The buffers of absent bindings, if a pass has any. */
  #absentBuffers(): AbsentBuffers | undefined {
    const count = Math.max(0, ...this.plan.passes.map(({ absent }) => absent?.length ?? 0));
    if (count === 0) return undefined;
    const { STORAGE } = GPUBufferUsage;
    return {
      read: this.#create('absent', absentBytes, STORAGE),
      written: this.#create('absent, written', count * absentBytes, STORAGE),
    };
  }

  /**
   * Uploads the inputs and submits all passes `repeats` times; `end` adds commands behind the last one. Returns
   * the time of the first submission.
   */
  #submitRuns(repeats: number, end?: (encoder: GPUCommandEncoder) => void, querySet?: GPUQuerySet): number {
    const count = repeats * this.plan.passes.length;
    return this.submitPasses(
      count,
      (recorder, encoder, from, to) =>
        recorder.record(encoder, from, to, querySet && { querySet, begin: from === 0, end: to === count }),
      end,
    );
  }

  /**
   * Uploads the inputs and submits `count` passes of runs, which `record` records, in as few submissions as
   * the pace of the device allows; `end` adds commands behind the last one. Returns the time of the first
   * submission. Throws if the device was lost.
   * @internal
   */
  submitPasses(
    count: number,
    record: (recorder: PassRecorder, encoder: GPUCommandEncoder, from: number, to: number) => void,
    end?: (encoder: GPUCommandEncoder) => void,
  ): number {
    const { gpu, submissions } = this.#device;
    const { pace } = submissions;
    if (!pace && !(this.plan.flops <= (submissions.largest?.flops ?? -1))) submissions.largest = this.plan;
    this.#device.check();
    // A use of destroyed buffers would be an error of the device, which other engines may use.
    check(this.#own[0], 'The program is destroyed', 'input');
    if (this.#inputBytes.byteLength > 0) gpu.queue.writeBuffer(this.#inputBuffer, 0, this.#inputBytes);
    let first: number | undefined;
    for (let from = 0; ; ) {
      const to = pace?.take(this.plan, from, count) ?? count;
      const encoder = gpu.createCommandEncoder();
      if (this.#recorder) record(this.#recorder, encoder, from, to);
      if (to === count) end?.(encoder);
      const commands = encoder.finish();
      first ??= performance.now();
      gpu.queue.submit([commands]);
      pace?.submitted(gpu.queue);
      if (to === count) return first;
      from = to;
    }
  }
}

/** Views of the inputs of a plan in `bytes`. */
function inputViews(plan: Plan, bytes: ArrayBuffer): Record<string, TensorData> {
  const inputs = Object.entries(plan.inputs);
  return Object.fromEntries(
    inputs.map(([name, { range, dtype, shape }]) => [
      name,
      new arrayTypes[dtype](bytes, range.offset, sizeOf(shape)),
    ]),
  );
}
