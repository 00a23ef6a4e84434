// A runner: a plan ready to run on the GPU. A run writes the inputs, records one command buffer and submits
// it; outputs come back through a ring of staging buffers. After `Runner.open` only command encoders are
// created.

import { arrayTypes, sizeOf, type TensorData } from '../../core/tensor.ts';
import type { Plan, Range } from '../plan/plan.ts';
import type { Device } from './device.ts';
import { OutputRing, type Outputs } from './output-ring.ts';
import type { Kernel, Pipelines } from './pipelines.ts';
import { whenDone } from './readback.ts';
import {
  type AbsentBuffers,
  absentBytes,
  alignToWords,
  type BoundPass,
  type BufferAt,
  bindPass,
  createRecorder,
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
  #bound: readonly BoundPass[] = [];
  #record: ReturnType<typeof createRecorder> = () => undefined;

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
    runner.#bound = plan.passes.map((pass, i) =>
      bindPass(device.gpu, pass, kernels[i] as Kernel, { paramBuffer, i }, runner.#bufferAt, absent),
    );
    runner.#record = createRecorder(runner.#bound, (encoder, ranges) => runner.#clear(encoder, ranges));
    return runner;
  }

  /**
   * Submits one run; resolves to its outputs. Throws if `inFlight` runs are pending already. Rejects with a
   * HeddleError if the device was lost or reported an error.
   */
  run(): Promise<Outputs> {
    this.#device.check();
    const staging = this.#outputs.take();
    const encoder = this.#start();
    this.#record(encoder);
    this.#outputs.copy(encoder, staging);
    this.#submit(encoder);
    return this.#outputs.read(staging);
  }

  /** Submits one run without reading outputs. */
  submit(): void {
    const encoder = this.#start();
    this.#record(encoder);
    this.#submit(encoder);
  }

  /**
   * Runs all passes `repeats` times in one submission; resolves to the milliseconds per run by the host's
   * clock.
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
    const encoder = this.#start();
    this.#record(encoder, repeats, timestamps?.querySet);
    timestamps?.resolve(encoder);
    const commands = encoder.finish();
    const from = performance.now();
    queue.submit([commands]);
    await whenDone(queue, queue.onSubmittedWorkDone());
    const host = performance.now() - from;
    this.#device.check();
    const [begin = 0n, end = 0n] = (await timestamps?.read()) ?? [];
    return { host, gpu: end > begin ? Number(end - begin) / 1e6 : undefined };
  }

  /**
   * Submits one run with each dispatch in a separate pass that writes its start and end time, and reads all
   * timestamps back.
   */
  submitTimed(timestamps: Timestamps): void {
    const { querySet } = timestamps;
    const encoder = this.#start();
    for (const [i, bound] of this.#bound.entries()) {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      };
      this.#recordSingle(encoder, bound, { label: bound.label, timestampWrites });
    }
    timestamps.resolve(encoder);
    this.#submit(encoder);
  }

  /** Submits a single pass of the plan, on the inputs of the last run. */
  submitPass(index: number): void {
    const bound = this.#bound[index];
    if (!bound) throw new Error(`runner: there is no pass ${index}, only ${this.#bound.length}`);
    this.#device.check();
    const encoder = this.#device.gpu.createCommandEncoder();
    this.#recordSingle(encoder, bound);
    this.#submit(encoder);
  }

  /** Destroys the buffers of the runner. */
  destroy(): void {
    for (const b of this.#own) b.destroy();
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

  /** Uploads the inputs and starts a command buffer. */
  #start(): GPUCommandEncoder {
    const { gpu } = this.#device;
    this.#device.check();
    if (this.#inputBytes.byteLength > 0) gpu.queue.writeBuffer(this.#inputBuffer, 0, this.#inputBytes);
    return gpu.createCommandEncoder();
  }

  #submit(encoder: GPUCommandEncoder): void {
    this.#device.gpu.queue.submit([encoder.finish()]);
  }

  #clear(encoder: GPUCommandEncoder, ranges: readonly Range[]): void {
    for (const r of ranges) encoder.clearBuffer(this.#bufferAt(r.buffer), r.offset, alignToWords(r.bytes));
  }

  /** Records one dispatch in a compute pass of its own. */
  #recordSingle(
    encoder: GPUCommandEncoder,
    { pipeline, group, x, y, z, clear = [] }: BoundPass,
    descriptor?: GPUComputePassDescriptor,
  ): void {
    this.#clear(encoder, clear);
    const computePass = encoder.beginComputePass(descriptor);
    computePass.setPipeline(pipeline);
    computePass.setBindGroup(0, group);
    computePass.dispatchWorkgroups(x, y, z);
    computePass.end();
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
