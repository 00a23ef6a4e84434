// A runner: a plan ready to run on the GPU. A run writes the inputs, records one command buffer and submits
// it; outputs come back through a ring of staging buffers, so the host does not wait for the GPU. After
// `createRunner` only command encoders are created.

import { HeddleError, messageOf } from '../../core/errors.ts';
import { allocate, arrayTypes, sizeOf, type TensorData } from '../../core/tensor.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan, Range } from '../plan/plan.ts';
import type { Device } from './device.ts';
import type { Kernel, Pipelines } from './pipelines.ts';
import { whenDone } from './readback.ts';
import type { BoundPass, BufferAt } from './recorded-passes.ts';
import {
  absentBytes,
  alignToWords,
  bindPass,
  createRecorder,
  packParams,
  paramAlign,
} from './recorded-passes.ts';
import type { Timestamps } from './timestamps.ts';

/** Outputs of a run by name. The arrays belong to the caller. */
export type Outputs = Record<string, TensorData>;

/** Settings of a runner. */
export interface RunnerOptions {
  /**
   * Maximum number of runs whose outputs are pending at once; the ring has that many staging buffers. Default
   * 3.
   */
  readonly inFlight?: number;
}

/** A plan that is ready to run on the GPU. */
export interface Runner {
  readonly plan: Plan;
  /** Host memory of the inputs by name. Fill the arrays before each run; they are never replaced. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  /**
   * Submits one run; resolves to its outputs. Throws if `inFlight` runs are pending already. Rejects with a
   * HeddleError if the device was lost or reported an error.
   */
  run(): Promise<Outputs>;
  /** Submits one run without reading outputs. */
  submit(): void;
  /**
   * Runs all passes `repeats` times in one submission; resolves to the milliseconds per run by the host's
   * clock.
   */
  time(repeats: number): Promise<number>;
  /**
   * Like `time`, but resolves to the milliseconds of all runs together: by the host's clock and by the first
   * two timestamps, undefined without timestamps or if they are not increasing. All dispatches are in one
   * pass, unless memory is cleared between them.
   */
  clock(repeats: number, timestamps?: Timestamps): Promise<{ host: number; gpu: number | undefined }>;
  /**
   * Submits one run with each dispatch in a separate pass that writes its start and end time, and reads all
   * timestamps back.
   */
  submitTimed(timestamps: Timestamps): void;
  /** Submits a single pass of the plan, on the inputs of the last run. */
  submitPass(index: number): void;
  /** Destroys the buffers of the runner. */
  destroy(): void;
}

/** Creates a buffer that is destroyed with the runner. */
type Create = (label: string, size: number, usage: number) => GPUBuffer;

/**
 * Creates a runner. `buffers` are the GPU buffers of the plan's states and slots, undefined for the inputs.
 */
export async function createRunner(
  device: Device,
  pipelines: Pipelines,
  plan: Plan,
  buffers: readonly (GPUBuffer | undefined)[],
  { inFlight = 3 }: RunnerOptions = {},
): Promise<Runner> {
  const { gpu } = device;
  const own: GPUBuffer[] = [];
  const create: Create = (label, size, usage) => {
    const buffer = gpu.createBuffer({ label, size, usage });
    own.push(buffer);
    return buffer;
  };
  const host = new ArrayBuffer(Math.max(paramAlign, plan.bytes.inputs));
  const inputUsage =
    GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const inputBuffer = create('inputs', host.byteLength, inputUsage);
  const bufferAt: BufferAt = (i) => buffers[i] ?? inputBuffer;
  const paramBytes = Math.max(1, plan.passes.length) * paramAlign;
  const paramBuffer = create('params', paramBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  const maxAbsent = Math.max(1, ...plan.passes.map((pass) => pass.absent?.length ?? 0));
  const absent = {
    read: create('absent', absentBytes, GPUBufferUsage.STORAGE),
    written: create('absent, written', maxAbsent * absentBytes, GPUBufferUsage.STORAGE),
  };
  const outputs = outputRing(device, plan, inFlight, create, bufferAt);

  // All buffers are created before this await: the session's error scope around it reports out-of-memory.
  const kernels = await Promise.all(plan.passes.map((pass) => pipelines.get(pass)));
  // Deno ends if a write has no bytes.
  if (kernels.length > 0) gpu.queue.writeBuffer(paramBuffer, 0, packParams(plan.passes, kernels));
  const passes = plan.passes.map((pass, i) =>
    bindPass(gpu, pass, kernels[i] as Kernel, { paramBuffer, i }, bufferAt, absent),
  );
  const clear = (encoder: GPUCommandEncoder, ranges: readonly Range[]): void => {
    for (const r of ranges) encoder.clearBuffer(bufferAt(r.buffer), r.offset, alignToWords(r.bytes));
  };
  const record = createRecorder(passes, clear);

  const start = (): GPUCommandEncoder => {
    device.check();
    if (host.byteLength > 0) gpu.queue.writeBuffer(inputBuffer, 0, host);
    return gpu.createCommandEncoder();
  };
  const submit = (encoder: GPUCommandEncoder): void => gpu.queue.submit([encoder.finish()]);
  /** Records one dispatch in a pass of its own. */
  const recordSingle = (
    encoder: GPUCommandEncoder,
    bound: BoundPass,
    descriptor?: GPUComputePassDescriptor,
  ): void => {
    clear(encoder, bound.clear ?? []);
    const pass = encoder.beginComputePass(descriptor);
    pass.setPipeline(bound.pipeline);
    pass.setBindGroup(0, bound.group);
    pass.dispatchWorkgroups(bound.x, bound.y, bound.z);
    pass.end();
  };

  const clock = async (repeats: number, timestamps?: Timestamps) => {
    const encoder = start();
    record(encoder, repeats, timestamps?.querySet);
    timestamps?.resolve(encoder);
    const commands = encoder.finish();
    const from = performance.now();
    gpu.queue.submit([commands]);
    await whenDone(gpu.queue, gpu.queue.onSubmittedWorkDone());
    const host = performance.now() - from;
    device.check();
    const [begin = 0n, end = 0n] = (await timestamps?.read()) ?? [];
    return { host, gpu: end > begin ? Number(end - begin) / 1e6 : undefined };
  };

  return {
    plan,
    inputs: inputViews(plan, host),
    submit() {
      const encoder = start();
      record(encoder);
      submit(encoder);
    },
    run() {
      device.check();
      const staging = outputs.take();
      const encoder = start();
      record(encoder);
      outputs.copy(encoder, staging);
      submit(encoder);
      return outputs.read(staging);
    },
    time: async (repeats) => (await clock(repeats)).host / repeats,
    clock,
    submitPass(index) {
      const pass = passes[index];
      if (!pass) throw new Error(`runner: there is no pass ${index}, only ${passes.length}`);
      device.check();
      const encoder = gpu.createCommandEncoder();
      recordSingle(encoder, pass);
      submit(encoder);
    },
    submitTimed(timestamps) {
      const { querySet } = timestamps;
      const encoder = start();
      for (const [i, pass] of passes.entries()) {
        const timestampWrites = {
          querySet,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        };
        recordSingle(encoder, pass, { label: pass.label, timestampWrites });
      }
      timestamps.resolve(encoder);
      submit(encoder);
    },
    destroy() {
      for (const b of own) b.destroy();
    },
  };
}

/** Views of the inputs of a plan in `host`, which is uploaded in one write. */
function inputViews(plan: Plan, host: ArrayBuffer): Record<string, TensorData> {
  const inputs = Object.entries(plan.inputs);
  return Object.fromEntries(
    inputs.map(([name, { range, dtype, shape }]) => [
      name,
      new arrayTypes[dtype](host, range.offset, sizeOf(shape)),
    ]),
  );
}

/**
 * Reads the outputs of a plan through a ring of staging buffers; there are none if the plan has no outputs.
 */
interface OutputRing {
  /** Returns a free staging buffer. Throws if none is left. */
  take(): GPUBuffer | undefined;
  copy(encoder: GPUCommandEncoder, staging: GPUBuffer | undefined): void;
  /** Waits for the submitted commands, and releases the staging buffer. */
  read(staging: GPUBuffer | undefined): Promise<Outputs>;
}

function outputRing(
  device: Device,
  plan: Plan,
  inFlight: number,
  create: Create,
  bufferAt: BufferAt,
): OutputRing {
  let bytes = 0;
  const reads = Object.entries(plan.outputs).map(([name, { range, dtype, shape }]) => {
    const at = bytes;
    bytes += align(range.bytes);
    return { name, range, at, dtype, length: sizeOf(shape) };
  });
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
  const free = Array.from({ length: reads.length ? inFlight : 0 }, (_, i) =>
    create(`outputs ${i}`, bytes, usage),
  );

  return {
    take() {
      const staging = free.shift();
      if (!staging && reads.length)
        throw new Error(`runner: more than ${inFlight} runs in flight; await an earlier one first`);
      return staging;
    },
    copy(encoder, staging) {
      if (!staging) return;
      for (const { range, at } of reads)
        encoder.copyBufferToBuffer(
          bufferAt(range.buffer),
          range.offset,
          staging,
          at,
          alignToWords(range.bytes),
        );
    },
    async read(staging) {
      if (!staging) {
        await whenDone(device.gpu.queue, device.gpu.queue.onSubmittedWorkDone());
        return {};
      }
      const result: Outputs = {};
      try {
        await whenDone(device.gpu.queue, staging.mapAsync(GPUMapMode.READ));
        const mapped = staging.getMappedRange();
        for (const { name, range, at, dtype, length } of reads) {
          const data = allocate(dtype, length);
          new Uint8Array(data.buffer).set(new Uint8Array(mapped, at, Math.min(range.bytes, data.byteLength)));
          result[name] = data;
        }
        staging.unmap();
      } catch (error) {
        // If the device was lost, any of these calls can fail, and the reason may come later.
        await device.lost();
        device.check();
        throw new HeddleError(`Reading results back failed: ${messageOf(error)}`);
      }
      free.push(staging);
      device.check();
      return result;
    },
  };
}
