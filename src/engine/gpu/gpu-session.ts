// A session: the states that plans share (weights, optimizer moments, caches) and the slots that they use in
// turn, on one device.

import { HeddleError } from '../../core/errors.ts';
import { formatBytes } from '../../core/format-numbers.ts';
import type { DType, Shape, Tensor, TensorData, TensorType } from '../../core/tensor.ts';
import { allocate, bytesPer, sameShape, show, sizeOf } from '../../core/tensor.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan } from '../plan/plan.ts';
import type { Device } from './device.ts';
import { type Pipelines, pipelinesOf } from './pipelines.ts';
import { whenDone } from './readback.ts';
import { createRunner, type Runner, type RunnerOptions } from './runner.ts';

/** Size of the buffer through which `swap` exchanges states, in bytes. */
const swapBytes = 4 * 2 ** 20;

/** Throws if two named states are the same or have different types. */
export function checkSameType([a, x]: [string, TensorType], [b, y]: [string, TensorType]): void {
  if (a !== b && x.dtype === y.dtype && sameShape(x.shape, y.shape)) return;
  throw new Error(
    `states ${a} ${x.dtype} ${show(x.shape)} and ${b} ${y.dtype} ${show(y.shape)} must be two states of the same type`,
  );
}

/**
 * Owns GPU memory; `destroy` frees it. Plans of a session run one after another, so they share slots.
 *
 * @example
 * const session = new Session(device);
 * const [runner] = await session.prepare([makePlan(graph, { traits: device.traits })]);
 * session.write('weights', weights);
 * const { loss } = await runner.run();
 */
export class Session {
  readonly device: Device;
  readonly pipelines: Pipelines;
  #states = new Map<string, { buffer: GPUBuffer; dtype: DType; shape: Shape }>();
  #slots: GPUBuffer[] = [];
  #retired: GPUBuffer[] = [];
  #swapBuffer: GPUBuffer | undefined;
  #runners: Runner[] = [];

  constructor(device: Device) {
    this.device = device;
    this.pipelines = pipelinesOf(device.gpu);
  }

  /**
   * Prepares plans to run: allocates memory, compiles pipelines in parallel and creates bind groups. Runs
   * create none of these. New states are zero. Throws a HeddleError with the sizes if a plan does not fit the
   * device; nothing stays allocated then.
   */
  async prepare(plans: readonly Plan[], options: RunnerOptions = {}): Promise<Runner[]> {
    this.#checkFit(plans);
    // Compile first: nothing is allocated if a shader fails.
    await Promise.all(plans.flatMap((plan) => plan.passes.map((pass) => this.pipelines.get(pass))));
    const { gpu } = this.device;
    gpu.pushErrorScope('out-of-memory');
    const free = this.#allocate(plans);
    const pendingRunners = Promise.all(
      plans.map((plan) => createRunner(this.device, this.pipelines, plan, this.#buffersOf(plan), options)),
    );
    const [memory, runners] = await Promise.all([gpu.popErrorScope(), pendingRunners]);
    if (memory) {
      for (const r of runners) r.destroy();
      free();
      const need = Math.max(...plans.map((p) => p.bytes.peak));
      throw new HeddleError(
        `The GPU has no memory for this plan of ${formatBytes(need)}; use a smaller batch or model.`,
        { kind: 'memory' },
      );
    }
    this.#runners.push(...runners);
    this.device.check();
    return runners;
  }

  /** Allocates the states and slots that the session lacks; returns a function that frees them again. */
  #allocate(plans: readonly Plan[]): () => void {
    const newStates: string[] = [];
    for (const plan of plans)
      for (const [name, { dtype, shape, range }] of Object.entries(plan.states)) {
        if (this.#states.has(name)) continue;
        this.#states.set(name, { buffer: this.#storage(name, align(range.bytes)), dtype, shape });
        newStates.push(name);
      }
    const slots = [...this.#slots];
    const sizes = plans.map((plan) => slotSizes(plan).sort((a, b) => b - a));
    const count = Math.max(0, ...sizes.map((s) => s.length));
    for (let i = 0; i < count; i++) {
      const bytes = Math.max(...sizes.map((s) => s[i] ?? 0));
      if ((slots[i]?.size ?? 0) < bytes) this.#slots[i] = this.#storage(`slot${i}`, bytes);
    }
    // Earlier runners keep using replaced slots, which are freed with the session.
    const retired = slots.filter((slot, i) => slot !== this.#slots[i]);
    this.#retired.push(...retired);
    return () => {
      for (const name of newStates) {
        this.#states.get(name)?.buffer.destroy();
        this.#states.delete(name);
      }
      for (const slot of this.#slots) if (!slots.includes(slot)) slot.destroy();
      this.#slots = slots;
      this.#retired = this.#retired.filter((slot) => !retired.includes(slot));
    };
  }

  /** Frees the buffers of runners; states and slots stay. No run of them may be pending. */
  release(runners: readonly Runner[]): void {
    for (const r of runners) r.destroy();
    this.#runners = this.#runners.filter((r) => !runners.includes(r));
  }

  /** Copies host data into a state, from element `offset` on. */
  write(name: string, data: TensorData, offset = 0): void {
    const state = this.#state(name);
    if (data.length === 0) return; // Deno ends if a write has no bytes
    this.device.gpu.queue.writeBuffer(
      state.buffer,
      offset * bytesPer(state.dtype),
      data as GPUAllowSharedBufferSource,
    );
  }

  /** Resolves when the device has taken all writes. */
  async written(): Promise<void> {
    const { queue } = this.device.gpu;
    queue.submit([]);
    await whenDone(queue, queue.onSubmittedWorkDone());
    this.device.check();
  }

  /** Reads a state into host memory. */
  async read(name: string): Promise<Tensor> {
    const { buffer, dtype, shape } = this.#state(name);
    const { gpu } = this.device;
    const staging = gpu.createBuffer({
      label: `read ${name}`,
      size: buffer.size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    this.#record(`read ${name}`, (encoder) => encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size));
    try {
      await whenDone(gpu.queue, staging.mapAsync(GPUMapMode.READ));
      const data = allocate(dtype, sizeOf(shape));
      new Uint8Array(data.buffer).set(new Uint8Array(staging.getMappedRange()).subarray(0, data.byteLength));
      return { dtype, shape, data };
    } catch (error) {
      await this.device.lost(); // its reason may come later than this error
      throw error;
    } finally {
      this.device.check();
      staging.destroy();
    }
  }

  /** Copies one state into another of the same type. Throws if they are one state or their types differ. */
  copy(from: string, to: string): void {
    const [a, b] = this.#pair(from, to);
    this.#record(`copy ${from}`, (encoder) => encoder.copyBufferToBuffer(a, 0, b, 0, a.size));
  }

  /**
   * Exchanges the contents of two states of the same type, in chunks through a small buffer that is made at
   * the first call.
   */
  swap(first: string, second: string): void {
    const [a, b] = this.#pair(first, second);
    this.#swapBuffer ??= this.#storage('swap', swapBytes);
    const chunk = this.#swapBuffer;
    this.#record(`swap ${first}`, (encoder) => {
      for (let at = 0; at < a.size; at += chunk.size) {
        const bytes = Math.min(chunk.size, a.size - at);
        encoder.copyBufferToBuffer(a, at, chunk, 0, bytes);
        encoder.copyBufferToBuffer(b, at, a, at, bytes);
        encoder.copyBufferToBuffer(chunk, 0, b, at, bytes);
      }
    });
  }

  /** Fills all slots with NaN, so that a test notices memory that is read before it is written. */
  poison(): void {
    const nan = new Uint32Array(Math.max(0, ...this.#slots.map((b) => b.size)) / 4).fill(0x7fc0dead);
    for (const slot of this.#slots) this.device.gpu.queue.writeBuffer(slot, 0, nan, 0, slot.size / 4);
  }

  /** Names of the states. */
  get states(): string[] {
    return [...this.#states.keys()];
  }

  /** Frees all memory of the session. The device stays open. */
  destroy(): void {
    for (const r of this.#runners) r.destroy();
    for (const { buffer } of this.#states.values()) buffer.destroy();
    for (const buffer of [...this.#slots, ...this.#retired]) buffer.destroy();
    this.#swapBuffer?.destroy();
  }

  #record(label: string, commands: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.device.gpu.createCommandEncoder({ label });
    commands(encoder);
    this.device.gpu.queue.submit([encoder.finish()]);
  }

  /** The buffers of two different states of one type. */
  #pair(a: string, b: string): [GPUBuffer, GPUBuffer] {
    const [x, y] = [this.#state(a), this.#state(b)];
    checkSameType([a, x], [b, y]);
    return [x.buffer, y.buffer];
  }

  #state(name: string) {
    const state = this.#states.get(name);
    if (!state) throw new Error(`session: there is no state ${name}; there are ${this.states.join(', ')}`);
    return state;
  }

  #storage(label: string, size: number): GPUBuffer {
    // UNIFORM, because scale_step writes step scalars to a state (src/engine/ops/optimizer/clip.ts).
    const usage =
      GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    return this.device.gpu.createBuffer({ label, size, usage });
  }

  /**
   * Returns the GPU buffers of a plan's states and slots, undefined for the inputs, which belong to the
   * runner.
   */
  #buffersOf(plan: Plan): (GPUBuffer | undefined)[] {
    const order = slotSizes(plan).map((bytes, s) => ({ bytes, s }));
    order.sort((a, b) => b.bytes - a.bytes);
    const rank = new Map(order.map(({ s }, i) => [s, i]));
    let slot = 0;
    return plan.buffers.map((b) => {
      if (b.kind === 'inputs') return undefined;
      if (b.kind === 'state') return this.#state(b.name).buffer;
      return this.#slots[rank.get(slot++) as number];
    });
  }

  /** Throws if a state of a plan exists with another type, or a buffer exceeds the device's limit. */
  #checkFit(plans: readonly Plan[]): void {
    const states = new Map<string, { dtype: DType; shape: Shape }>(this.#states);
    const { maxBufferSize } = this.device.gpu.limits;
    for (const plan of plans) {
      for (const [name, { dtype, shape }] of Object.entries(plan.states)) {
        const known = states.get(name);
        if (known && (known.shape.join() !== shape.join() || known.dtype !== dtype))
          throw new HeddleError(
            `session: state ${name} is ${known.dtype} [${known.shape}], a plan requires ${dtype} [${shape}]`,
          );
        states.set(name, { dtype, shape });
      }
      for (const b of plan.buffers)
        if (b.bytes > maxBufferSize)
          throw new HeddleError(
            `The plan's buffer ${b.name} needs ${formatBytes(b.bytes)}, the device allows ${formatBytes(maxBufferSize)} a buffer ` +
              `(the plan has ${formatBytes(plan.bytes.peak)} in all); use a smaller batch, shorter sequences or a smaller model.`,
            { kind: 'memory' },
          );
    }
  }
}

const slotSizes = (plan: Plan): number[] => plan.buffers.filter((b) => b.kind === 'slot').map((b) => b.bytes);
