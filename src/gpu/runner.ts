// A runner: one plan ready on the GPU. A run writes the inputs, records one command buffer and submits it once; outputs come back
// through a ring of staging buffers, so that nothing waits for the GPU. After `createRunner` no GPU object is made but encoders.

import { HeddleError } from '../errors.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan, Range } from '../plan/plan.ts';
import { allocate, type TensorData } from '../tensor.ts';
import type { Device } from './device.ts';
import type { Pipelines } from './pipelines.ts';
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

const paramAlign = 256;

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
  const create = (label: string, size: number, usage: number) => {
    const buffer = gpu.createBuffer({ label, size, usage });
    own.push(buffer);
    return buffer;
  };
  const inputBytes = Math.max(paramAlign, plan.bytes.inputs);
  const inputUsage =
    GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const inputBuffer = create('inputs', inputBytes, inputUsage);
  const host = new ArrayBuffer(inputBytes);
  const inputs: Record<string, TensorData> = {};
  for (const [name, { range, dtype, shape }] of Object.entries(plan.inputs)) {
    const length = shape.reduce((a, b) => a * b, 1);
    inputs[name] = viewOf(dtype, host, range.offset, length);
  }
  const paramBuffer = create(
    'params',
    Math.max(1, plan.passes.length) * paramAlign,
    GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  );
  const outputs = Object.entries(plan.outputs);
  let stagingBytes = 0;
  const reads = outputs.map(([name, { range, dtype, shape }]) => {
    const at = stagingBytes;
    stagingBytes += align(range.bytes);
    return { name, range, at, dtype, length: shape.reduce((a, b) => a * b, 1) };
  });
  const ring = Array.from({ length: reads.length ? inFlight : 0 }, (_, i) =>
    create(`outputs ${i}`, stagingBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ),
  );
  const free = [...ring];
  const bufferAt = (i: number) => buffers[i] ?? inputBuffer;

  const kernels = await Promise.all(plan.passes.map((pass) => pipelines.get(pass)));
  const paramData = new DataView(new ArrayBuffer(paramBuffer.size));
  const steps = plan.passes.map((pass, i) => {
    const { pipeline, layout, bindings, shader } = kernels[i] as (typeof kernels)[number];
    const label = `${pass.scope ? `${pass.scope} ` : ''}${pass.op}`;
    shader.params.forEach(({ name, type }, f) => {
      const value = pass.params[name];
      if (value === undefined) throw new Error(`${pass.op}: no value for Params.${name} of shader ${pass.shader}`);
      const at = i * paramAlign + f * 4;
      if (type === 'f32') paramData.setFloat32(at, value, true);
      else paramData.setUint32(at, value, true);
    });
    const entries = bindings.map((b): GPUBindGroupEntry => {
      if (b.of === 'Params')
        return { binding: b.binding, resource: { buffer: paramBuffer, offset: i * paramAlign, size: paramAlign } };
      const range = pass.bind[b.name];
      // A launch whose overrides switch off all use of the step scalars (no dropout) need not have them: anything uniform will do.
      if (!range && b.of === 'Step') return { binding: b.binding, resource: { buffer: paramBuffer, size: paramAlign } };
      if (!range) throw new Error(`${pass.op}: nothing bound to ${b.name} of shader ${pass.shader}`);
      const size = b.of.includes('vec4') ? Math.ceil(range.bytes / 16) * 16 : Math.ceil(range.bytes / 4) * 4;
      return { binding: b.binding, resource: { buffer: bufferAt(range.buffer), offset: range.offset, size } };
    });
    const group = gpu.createBindGroup({ label, layout, entries });
    const [x, y, z] = pass.grid;
    return { pipeline, group, x, y, z, clear: pass.clear, label };
  });
  gpu.queue.writeBuffer(paramBuffer, 0, paramData.buffer);

  const fill = (encoder: GPUCommandEncoder, ranges: readonly Range[]): void => {
    for (const r of ranges) encoder.clearBuffer(bufferAt(r.buffer), r.offset, Math.ceil(r.bytes / 4) * 4);
  };
  const clears = steps.filter(({ clear }) => clear).length;
  const clearsFirst = steps[0]?.clear !== undefined;
  const record = (encoder: GPUCommandEncoder, repeats = 1, times?: GPUQuerySet): void => {
    const passes = repeats * clears + (clearsFirst ? 0 : 1);
    let passesLeft = passes;
    const begin = () => {
      const stamps = times && {
        querySet: times,
        ...(passesLeft === passes && { beginningOfPassWriteIndex: 0 }),
        ...(passesLeft === 1 && { endOfPassWriteIndex: 1 }),
      };
      passesLeft--;
      const stamped = stamps && Object.keys(stamps).length > 1;
      return encoder.beginComputePass(stamped ? { timestampWrites: stamps } : undefined);
    };
    let pass: GPUComputePassEncoder | undefined;
    let last: GPUComputePipeline | undefined;
    for (let i = 0; i < repeats * steps.length; i++) {
      const { pipeline, group, x, y, z, clear } = steps[i % steps.length] as (typeof steps)[number];
      if (clear) {
        pass?.end();
        fill(encoder, clear);
        pass = undefined;
        last = undefined;
      }
      pass ??= begin();
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y, z);
    }
    pass?.end();
  };
  const start = (): GPUCommandEncoder => {
    device.check();
    gpu.queue.writeBuffer(inputBuffer, 0, host);
    return gpu.createCommandEncoder();
  };

  const readBack = async (staging: GPUBuffer): Promise<Outputs> => {
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
    inputs,
    submit() {
      const encoder = start();
      record(encoder);
      gpu.queue.submit([encoder.finish()]);
    },
    run() {
      device.check();
      const staging = free.shift();
      if (!staging && ring.length)
        throw new Error(`runner: more than ${inFlight} runs in flight; await an earlier one first`);
      const encoder = start();
      record(encoder);
      if (!staging) {
        gpu.queue.submit([encoder.finish()]);
        return gpu.queue.onSubmittedWorkDone().then(() => ({}));
      }
      for (const { range, at } of reads)
        encoder.copyBufferToBuffer(bufferAt(range.buffer), range.offset, staging, at, Math.ceil(range.bytes / 4) * 4);
      gpu.queue.submit([encoder.finish()]);
      return readBack(staging);
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
      fill(encoder, step.clear ?? []);
      const pass = encoder.beginComputePass();
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.group);
      pass.dispatchWorkgroups(step.x, step.y, step.z);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
    },
    submitTimed(querySet) {
      const encoder = start();
      steps.forEach(({ pipeline, group, x, y, z, label, clear }, i) => {
        fill(encoder, clear ?? []);
        const pass = encoder.beginComputePass({
          label,
          timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
        });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y, z);
        pass.end();
      });
      gpu.queue.submit([encoder.finish()]);
    },
    destroy() {
      for (const b of own) b.destroy();
    },
  };
}

function viewOf(dtype: string, buffer: ArrayBuffer, offset: number, length: number): TensorData {
  if (dtype === 'f32') return new Float32Array(buffer, offset, length);
  if (dtype === 'i32') return new Int32Array(buffer, offset, length);
  if (dtype === 'u32') return new Uint32Array(buffer, offset, length);
  return new Uint16Array(buffer, offset, length);
}
