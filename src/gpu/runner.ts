// A runner: one plan ready on the GPU. A run writes the inputs, records one command buffer and submits it once; outputs come back
// through a ring of staging buffers, so that nothing waits for the GPU. After `createRunner` no GPU object is made but encoders.

import { HeddleError } from '../core/errors.ts';
import { allocate, type DType, sizeOf, type TensorData } from '../core/tensor.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan, Range } from '../plan/plan.ts';
import type { Device } from './device.ts';
import type { Kernel, Pipelines } from './pipelines.ts';
import { type BufferAt, paramAlign, paramsOf, recorder, type Step, stepOf, whole } from './recorded-passes.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Results of a run by name; each array is the caller's own. */
export type Outputs = Record<string, TensorData>;

/** Settings of a runner. */
export interface RunnerOptions {
  /** Runs whose outputs may be on their way at once; the ring has as many staging buffers. Default 3. */
  readonly inFlight?: number;
}

/** A plan on the GPU. */
export interface Runner {
  readonly plan: Plan;
  /** Host memory of the inputs, to be filled before each `run`; the same arrays for the whole life. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  /**
   * Records and submits one run; resolves to its outputs. Up to `inFlight` runs may be pending; a further call throws.
   * Rejects with a HeddleError where the device was lost or reported an error.
   */
  run(): Promise<Outputs>;
  /** Records and submits one run without reading anything back. */
  submit(): void;
  /** Runs all passes `repeats` times in one submission; resolves to the milliseconds a run took, waiting included. */
  time(repeats: number): Promise<number>;
  /**
   * As `time`, but resolves to the milliseconds of all runs together: `host` waiting included, `gpu` by the stopwatch, undefined where
   * there is none or it failed. Dispatches share one pass, unless something is cleared between them.
   */
  clock(repeats: number, stopwatch?: Stopwatch): Promise<{ host: number; gpu: number | undefined }>;
  /** As `submit`, but each pass on its own with begin and end times written to `times` (2 a pass). */
  submitTimed(times: GPUQuerySet): void;
  /** Submits one pass of the plan alone; the inputs are those of the last run. */
  submitPass(index: number): void;
  destroy(): void;
}

/** Makes a buffer that is freed with the runner. */
type Create = (label: string, size: number, usage: number) => GPUBuffer;

/** Makes a runner. `buffers` are the GPU buffers of the plan's states and slots, undefined for the inputs. */
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
  const outputs = outputRing(device, plan, inFlight, create, bufferAt);

  // Buffers are made before this: the session sees whether the memory was there.
  const kernels = await Promise.all(plan.passes.map((pass) => pipelines.get(pass)));
  gpu.queue.writeBuffer(paramBuffer, 0, paramsOf(plan.passes, kernels));
  const steps = plan.passes.map((pass, i) => stepOf(gpu, pass, kernels[i] as Kernel, { paramBuffer, i }, bufferAt));
  const clear = (encoder: GPUCommandEncoder, ranges: readonly Range[]): void => {
    for (const r of ranges) encoder.clearBuffer(bufferAt(r.buffer), r.offset, whole(r.bytes));
  };
  const record = recorder(steps, clear);

  const start = (): GPUCommandEncoder => {
    device.check();
    gpu.queue.writeBuffer(inputBuffer, 0, host);
    return gpu.createCommandEncoder();
  };
  const submit = (encoder: GPUCommandEncoder): void => gpu.queue.submit([encoder.finish()]);
  /** One step in a pass of its own. */
  const alone = (encoder: GPUCommandEncoder, step: Step, descriptor?: GPUComputePassDescriptor): void => {
    clear(encoder, step.clear ?? []);
    const pass = encoder.beginComputePass(descriptor);
    pass.setPipeline(step.pipeline);
    pass.setBindGroup(0, step.group);
    pass.dispatchWorkgroups(step.x, step.y, step.z);
    pass.end();
  };

  const clock = async (repeats: number, stopwatch?: Stopwatch) => {
    const encoder = start();
    record(encoder, repeats, stopwatch?.times);
    stopwatch?.resolve(encoder);
    const commands = encoder.finish();
    const from = performance.now();
    gpu.queue.submit([commands]);
    await gpu.queue.onSubmittedWorkDone();
    const host = performance.now() - from;
    device.check();
    return { host, gpu: await stopwatch?.read() };
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
    async time(repeats) {
      return (await clock(repeats)).host / repeats;
    },
    clock,
    submitPass(index) {
      const step = steps[index];
      if (!step) throw new Error(`runner: there is no pass ${index}, only ${steps.length}`);
      device.check();
      const encoder = gpu.createCommandEncoder();
      alone(encoder, step);
      submit(encoder);
    },
    submitTimed(querySet) {
      const encoder = start();
      for (const [i, step] of steps.entries()) {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        alone(encoder, step, { label: step.label, timestampWrites });
      }
      submit(encoder);
    },
    destroy() {
      for (const b of own) b.destroy();
    },
  };
}

/** The inputs of a plan as parts of `host`, which is uploaded whole. */
function inputViews(plan: Plan, host: ArrayBuffer): Record<string, TensorData> {
  const inputs = Object.entries(plan.inputs);
  return Object.fromEntries(
    inputs.map(([name, { range, dtype, shape }]) => [name, viewOf(dtype, host, range.offset, sizeOf(shape))]),
  );
}

/** The way of a plan's outputs to the host: a ring of staging buffers, none where the plan has no outputs. */
interface OutputRing {
  /** A free staging buffer; throws where none is left. */
  take(): GPUBuffer | undefined;
  copy(encoder: GPUCommandEncoder, staging: GPUBuffer | undefined): void;
  /** Waits for what was submitted, and frees the staging buffer. */
  read(staging: GPUBuffer | undefined): Promise<Outputs>;
}

function outputRing(device: Device, plan: Plan, inFlight: number, create: Create, bufferAt: BufferAt): OutputRing {
  let bytes = 0;
  const reads = Object.entries(plan.outputs).map(([name, { range, dtype, shape }]) => {
    const at = bytes;
    bytes += align(range.bytes);
    return { name, range, at, dtype, length: sizeOf(shape) };
  });
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
  const free = Array.from({ length: reads.length ? inFlight : 0 }, (_, i) => create(`outputs ${i}`, bytes, usage));

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
        encoder.copyBufferToBuffer(bufferAt(range.buffer), range.offset, staging, at, whole(range.bytes));
    },
    async read(staging) {
      if (!staging) {
        await device.gpu.queue.onSubmittedWorkDone();
        return {};
      }
      try {
        await staging.mapAsync(GPUMapMode.READ);
      } catch (error) {
        device.check();
        throw new HeddleError(`Reading results back failed: ${error instanceof Error ? error.message : error}`);
      }
      const mapped = staging.getMappedRange();
      const result: Outputs = {};
      for (const { name, range, at, dtype, length } of reads) {
        const data = allocate(dtype, length);
        new Uint8Array(data.buffer).set(new Uint8Array(mapped, at, Math.min(range.bytes, data.byteLength)));
        result[name] = data;
      }
      staging.unmap();
      free.push(staging);
      device.check();
      return result;
    },
  };
}

function viewOf(dtype: DType, buffer: ArrayBuffer, offset: number, length: number): TensorData {
  if (dtype === 'f32') return new Float32Array(buffer, offset, length);
  if (dtype === 'i32') return new Int32Array(buffer, offset, length);
  if (dtype === 'u32') return new Uint32Array(buffer, offset, length);
  return new Uint16Array(buffer, offset, length);
}
