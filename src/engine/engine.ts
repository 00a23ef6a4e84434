// An engine runs graphs: on a GPU through plans, or on the CPU through the ops' references (cpu-engine.ts).
// Training, decoding and verification use only this interface, so the CPU can check each of them.

import { HeddleError } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import { adapterName } from '../core/host-name.ts';
import type { Tensor, TensorData } from '../core/tensor.ts';
import type { Device } from './gpu/device.ts';
import { Session } from './gpu/gpu-session.ts';
import type { Profile } from './gpu/profile.ts';
import type { Outputs, Runner, RunnerOptions } from './gpu/runner.ts';
import type { Graph } from './graph/graph.ts';
import { type KernelChoices, variantKey } from './plan/kernel-choices.ts';
import type { Plan } from './plan/plan.ts';
import { makePlan } from './plan/planner.ts';

/** A graph that is ready to run. */
export interface Program {
  /** Host memory of the inputs by name. Fill it before each run; the arrays never change. */
  readonly inputs: Readonly<Record<string, TensorData>>;
  /** Runs once; resolves to the outputs by name. At most `inFlight` runs may be pending (default 3). */
  run(): Promise<Outputs>;
  /** Runs once without reading outputs. */
  submit(): void;
  /** The plan; absent on the CPU. */
  readonly plan?: Plan;
}

/** Options of preparing graphs. */
export interface PrepareOptions extends RunnerOptions {
  /** Kernel variants by key, for nodes whose variant the engine has not chosen yet. */
  readonly kernelChoices?: KernelChoices;
}

/**
 * Runs graphs that share states by name. Several engines can share a device; each has states of its own.
 *
 * @example
 * const engine = gpuEngine(device);
 * const [program] = await engine.prepare([graph]);
 * engine.write('weights', weights);
 * program.inputs.x.set([1, 2, 3]);
 * const { y } = await program.run();
 */
export interface Engine {
  /** Name of the adapter, or `cpu`. */
  readonly name: string;
  /** Kernel variants of all programs so far, by key. The same choices give the same bits. */
  readonly kernelChoices: KernelChoices;
  /** Prepares graphs to run. New states are zero. Throws a HeddleError if they do not fit the device. */
  prepare(graphs: readonly Graph[], options?: PrepareOptions): Promise<Program[]>;
  /** Frees programs of this engine. No run of them may be pending. */
  release(programs: readonly Program[]): void;
  /** Copies host data into a state, from element `offset` on. */
  write(state: string, data: TensorData, offset?: number): void;
  /**
   * Resolves when the device has executed all writes and freed their staging copies. Absent if writes copy
   * nothing.
   */
  written?(): Promise<void>;
  /** Reads a state into host memory. */
  read(state: string): Promise<Tensor>;
  /** Copies one state into another of the same type, on the device. */
  copy(from: string, to: string): void;
  /** Exchanges the contents of two states of the same type, on the device. Swapping twice restores both. */
  swap(a: string, b: string): void;
  /**
   * Times each pass of a program made by this engine, `runs` times (default 5). Absent if the engine has no
   * passes (CPU).
   */
  profile?(program: Program, runs?: number): Promise<Profile>;
  /** Frees the states and programs of the engine. The device stays open. */
  destroy(): void;
}

/** Settings of `gpuEngine`. */
export interface GpuEngineOptions {
  /**
   * Chooses kernel variants for graphs, usually by auto-tuning. `known`: the choices so far, to keep unless
   * their results are wrong. Default: keep `known`, and use the default variant of other nodes.
   */
  readonly chooseKernels?: (
    graphs: readonly Graph[],
    device: Device,
    known: KernelChoices,
  ) => Promise<KernelChoices>;
  /**
   * Initial choices, from a checkpoint. `chooseKernels` replaces only those whose results are wrong on the
   * device.
   */
  readonly kernelChoices?: KernelChoices;
  /** Maximum peak memory of a plan in bytes. A larger plan is an error before anything is allocated. */
  readonly memoryLimit?: number;
}

/**
 * Creates an engine on a GPU device.
 *
 * @example
 * const engine = gpuEngine(await openDevice(navigator.gpu));
 */
export function gpuEngine(device: Device, options: GpuEngineOptions = {}): Engine {
  const session = new Session(device);
  let runners: Runner[] = [];
  const used: Record<string, string> = { ...options.kernelChoices };
  return {
    name: adapterName(device.adapter),
    kernelChoices: used,
    async prepare(graphs, { kernelChoices: given, ...running } = {}) {
      const known = { ...given, ...used };
      const planned = (kernelChoices: KernelChoices) =>
        graphs.map((graph) => makePlan(graph, { traits: device.traits, kernelChoices }));
      // Check before auto-tuning, which allocates memory too.
      checkMemory(planned(known), options.memoryLimit);
      const chosen = { ...known, ...(await options.chooseKernels?.(graphs, device, known)) };
      const plans = planned(chosen);
      checkMemory(plans, options.memoryLimit);
      for (const [i, graph] of graphs.entries()) Object.assign(used, variantsOf(graph, plans[i] as Plan));
      const prepared = await session.prepare(plans, running);
      runners.push(...prepared);
      return prepared;
    },
    release(programs) {
      const freed = runners.filter((r) => programs.includes(r));
      runners = runners.filter((r) => !freed.includes(r));
      session.release(freed);
    },
    write: (state, data, offset) => session.write(state, data, offset),
    written: () => session.written(),
    read: (state) => session.read(state),
    copy: (from, to) => session.copy(from, to),
    swap: (a, b) => session.swap(a, b),
    async profile(program, runs) {
      const runner = runners.find((r) => r === program);
      if (!runner) throw new Error('engine: profile takes a program that this engine has prepared');
      return (await import('./gpu/profile.ts')).profilePasses(device, runner, runs);
    },
    destroy: () => session.destroy(),
  };
}

/** Returns the variants that a plan uses, by key, measured or not. */
function variantsOf(graph: Graph, { passes }: Plan): KernelChoices {
  const taken = new Map(passes.map(({ node, variant }) => [node, variant]));
  const choices: Record<string, string> = {};
  for (const node of graph.nodes) {
    const variant = taken.get(node.id);
    if (node.op.variants && variant !== undefined) choices[variantKey(node)] = variant;
  }
  return choices;
}

function checkMemory(plans: readonly Plan[], limit = Number.POSITIVE_INFINITY): void {
  const need = Math.max(0, ...plans.map((p) => p.bytes.peak));
  if (need > limit)
    throw new HeddleError(
      `The plan needs ${formatBytes(need)} of GPU memory, the limit is ${formatBytes(limit)} (--memory-limit, or the machine's memory); ` +
        'use a smaller batch, shorter sequences, a smaller model or gradient checkpointing.',
      { kind: 'memory' },
    );
}
