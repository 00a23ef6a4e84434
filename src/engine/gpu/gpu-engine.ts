// The engine of the GPU: plans graphs and runs them. It owns the states that plans share (weights, optimizer
// moments, caches) and the slots that they use in turn, on one device.

import { adapterName } from '../../core/host-name.ts';
import type { DType, Shape, Tensor, TensorData, TensorType } from '../../core/tensor.ts';
import { allocate, bytesPer, sameShape, show, sizeOf } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import { type KernelChoices, variantKey } from '../plan/kernel-choices.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { aboveLimit, bufferTooLarge, otherState, outOfMemory } from './memory-errors.ts';
import { mappedRange } from './output-ring.ts';
import { type Pipelines, pipelinesOf } from './pipelines.ts';
import type { Profile } from './profile.ts';
import { profileOf } from './profile.ts';
import { whenDone } from './readback.ts';
import { Runner, type RunnerOptions } from './runner.ts';

/** Maximum size of the buffer through which `swap` exchanges states, in bytes. */
export const swapBytes = 4 * 2 ** 20;

/** Throws if two named states are the same or have different types. */
export function checkSameType([a, x]: [string, TensorType], [b, y]: [string, TensorType]): void {
  if (a !== b && x.dtype === y.dtype && sameShape(x.shape, y.shape)) return;
  throw new Error(
    `states ${a} ${x.dtype} ${show(x.shape)} and ${b} ${y.dtype} ${show(y.shape)} must be two states of the same type`,
  );
}

/** Chooses kernel variants for graphs, usually by auto-tuning. */
export interface KernelChooser {
  /**
   * `known`: the choices so far, to keep unless their results are wrong. Resolves to choices that replace and
   * extend them. It may fuse nodes of the graphs, in place (graph/fewer-launches.ts).
   */
  choose(graphs: readonly Graph[], device: Device, known: KernelChoices): Promise<KernelChoices>;
}

/** Settings of a GPU engine. */
export interface GpuEngineOptions {
  /** Default: keep the choices so far, and use the default variant of other nodes. */
  readonly kernels?: KernelChooser;
  /** Initial choices, from a checkpoint. `kernels` replaces only those whose results are wrong on the device. */
  readonly kernelChoices?: KernelChoices;
  /** Maximum peak memory of a plan in bytes. A larger plan is an error before anything is allocated. */
  readonly memoryLimit?: number;
}

/** Options of preparing graphs. */
export interface PrepareOptions extends RunnerOptions {
  /** Kernel variants by key, for nodes whose variant the engine has not chosen yet. */
  readonly kernelChoices?: KernelChoices;
}

/**
 * Owns GPU memory; `destroy` frees it. Plans of an engine run one after another, so they share slots.
 *
 * @example
 * const engine = new GpuEngine(device);
 * const [runner] = await engine.preparePlans([makePlan(graph, { traits: device.traits })]);
 * engine.write('weights', weights);
 * const { loss } = await runner.run();
 */
export class GpuEngine {
  /** Name of the adapter. */
  readonly name: string;
  readonly device: Device;
  readonly pipelines: Pipelines;
  readonly #options: GpuEngineOptions;
  readonly #choices: Record<string, string>;
  #states = new Map<string, { buffer: GPUBuffer; dtype: DType; shape: Shape }>();
  #slots: GPUBuffer[] = [];
  #retired: GPUBuffer[] = [];
  #swapBuffer: GPUBuffer | undefined;
  #runners: Runner[] = [];

  constructor(device: Device, options: GpuEngineOptions = {}) {
    this.name = adapterName(device.adapter);
    this.device = device;
    this.pipelines = pipelinesOf(device.gpu);
    this.#options = options;
    this.#choices = { ...options.kernelChoices };
  }

  /** Kernel variants of all programs so far, by key. */
  get kernelChoices(): KernelChoices {
    return this.#choices;
  }

  /** Plans graphs and prepares them to run. Throws as `preparePlans`, or if a plan exceeds the memory limit. */
  async prepare(
    graphs: readonly Graph[],
    { kernelChoices, ...running }: PrepareOptions = {},
  ): Promise<Runner[]> {
    const { kernels, memoryLimit = Number.POSITIVE_INFINITY } = this.#options;
    const { traits } = this.device;
    const known = { ...kernelChoices, ...this.#choices };
    const planAll = async (choices: KernelChoices): Promise<Plan[]> => {
      const made = graphs.map((graph) => makePlan(graph, { traits, kernelChoices: choices }));
      const need = Math.max(0, ...made.map((p) => p.bytes.peak));
      if (need > memoryLimit) throw aboveLimit(need, memoryLimit);
      return made;
    };
    // Auto-tuning allocates memory too, so a plan that is too large is an error before it.
    const early = kernels && memoryLimit < Number.POSITIVE_INFINITY ? await planAll(known) : undefined;
    const chosen = { ...known, ...(await kernels?.choose(graphs, this.device, known)) };
    const hold = (plan: Plan, i: number): boolean => agree(chosenIn(graphs[i] as Graph, plan), chosen);
    const plans = early?.every(hold) ? early : await planAll(chosen);
    for (const [i, graph] of graphs.entries())
      Object.assign(this.#choices, chosenIn(graph, plans[i] as Plan));
    return this.preparePlans(plans, running);
  }

  /**
   * Prepares plans to run: allocates memory, compiles pipelines in parallel and creates bind groups. Runs
   * create none of these. New states are zero. Throws a HeddleError with the sizes if a plan does not fit the
   * device; nothing stays allocated then.
   */
  async preparePlans(plans: readonly Plan[], options: RunnerOptions = {}): Promise<Runner[]> {
    await this.#checkFit(plans);
    // Compile first: nothing is allocated if a shader fails.
    await Promise.all(plans.flatMap((plan) => plan.passes.map((pass) => this.pipelines.get(pass))));
    const { gpu } = this.device;
    gpu.pushErrorScope('out-of-memory');
    const free = this.#allocate(plans);
    const pendingRunners = Promise.all(
      plans.map((plan) => Runner.open(this.device, this.pipelines, plan, this.#buffersOf(plan), options)),
    );
    const [memory, runners] = await Promise.all([gpu.popErrorScope(), pendingRunners]);
    if (memory) {
      for (const r of runners) r.destroy();
      free();
      throw outOfMemory(Math.max(...plans.map((p) => p.bytes.peak)));
    }
    this.#runners.push(...runners);
    this.device.check();
    return runners;
  }

  /** Allocates the states and slots that the engine lacks; returns a function that frees them again. */
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
    // Earlier runners keep using replaced slots, which are freed with the engine.
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

  /** Frees the buffers of programs of this engine; states and slots stay. No run of them may be pending. */
  release(programs: readonly unknown[]): void {
    for (const runner of this.#runners) if (programs.includes(runner)) runner.destroy();
    this.#runners = this.#runners.filter((runner) => !programs.includes(runner));
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
      size: buffer.size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    this.#record(`read ${name}`, (encoder) => encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size));
    const data = allocate(dtype, sizeOf(shape));
    const mapped = await mappedRange(this.device, staging);
    new Uint8Array(data.buffer).set(new Uint8Array(mapped, 0, data.byteLength));
    staging.destroy();
    return { dtype, shape, data };
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
    this.#swapBuffer ??= this.#storage('swap', Math.min(swapBytes, a.size));
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

  /** Times each pass of a program of this engine, `runs` times (default 5). */
  async profile(program: unknown, runs?: number): Promise<Profile> {
    return profileOf(this.device, this.#runners, program, runs);
  }

  /** The slots: memory that the results of runs use in turn. */
  get slots(): readonly GPUBuffer[] {
    return this.#slots;
  }

  /** Names of the states. */
  get states(): string[] {
    return [...this.#states.keys()];
  }

  /** Frees all memory of the engine. The device stays open. */
  destroy(): void {
    this.release(this.#runners);
    for (const { buffer } of this.#states.values()) buffer.destroy();
    this.#states.clear();
    for (const buffer of [...this.#slots.splice(0), ...this.#retired]) buffer.destroy();
    this.#swapBuffer?.destroy();
    this.#swapBuffer = undefined;
  }

  /** `destroy` at the end of a block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  #record(label: string, commands: (encoder: GPUCommandEncoder) => void): void {
    const { gpu } = this.device;
    const encoder = gpu.createCommandEncoder({ label });
    commands(encoder);
    gpu.queue.submit([encoder.finish()]);
  }

  /** The buffers of two different states of one type. */
  #pair(a: string, b: string): [GPUBuffer, GPUBuffer] {
    const [x, y] = [this.#state(a), this.#state(b)];
    checkSameType([a, x], [b, y]);
    return [x.buffer, y.buffer];
  }

  #state(name: string) {
    const state = this.#states.get(name);
    if (!state) throw new Error(`engine: there is no state ${name}; there are ${this.states.join(', ')}`);
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
  async #checkFit(plans: readonly Plan[]): Promise<void> {
    const states = new Map<string, { dtype: DType; shape: Shape }>(this.#states);
    const { maxBufferSize } = this.device.gpu.limits;
    for (const plan of plans) {
      for (const [name, { dtype, shape }] of Object.entries(plan.states)) {
        const known = states.get(name);
        if (known && (known.shape.join() !== shape.join() || known.dtype !== dtype))
          throw otherState(name, known, { dtype, shape });
        states.set(name, { dtype, shape });
      }
      for (const b of plan.buffers)
        if (b.bytes > maxBufferSize) throw bufferTooLarge(b, maxBufferSize, plan.bytes.peak);
    }
  }
}

/** The variants that a plan uses, by key, measured or not; '' of nodes that are not in it. */
function chosenIn(graph: Graph, { passes }: Plan): KernelChoices {
  const taken = new Map(passes.map(({ node, variant }) => [node, variant]));
  const choices: Record<string, string> = {};
  for (const node of graph.nodes) {
    if (node.op.variants) choices[variantKey(node)] = taken.get(node.id) ?? '';
  }
  return choices;
}

/** Whether `chosen` has no other variant for any key of `used`. */
const agree = (used: KernelChoices, chosen: KernelChoices): boolean =>
  Object.entries(used).every(([key, variant]) => (chosen[key] ?? variant) === variant);

const slotSizes = (plan: Plan): number[] => plan.buffers.filter((b) => b.kind === 'slot').map((b) => b.bytes);
