// An engine runs graphs: on a GPU through plans, or on the CPU through the ops' references (cpu-engine.ts).
// Training, decoding and verification use only this interface, so the CPU can check each of them.

import type { Tensor, TensorData } from '../core/tensor.ts';
import type { Device } from './gpu/device.ts';
import { GpuEngine, type GpuEngineOptions, type PrepareOptions } from './gpu/gpu-engine.ts';
import type { Outputs } from './gpu/output-ring.ts';
import type { Profile } from './gpu/profile.ts';
import type { Graph } from './graph/graph.ts';
import type { KernelChoices } from './plan/kernel-choices.ts';
import type { Plan } from './plan/plan.ts';

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
  /**
   * Whether runs end before others begin, so that nothing is gained if several are pending. Default: false, a GPU
   * waits if no further run is pending.
   */
  readonly runsAtOnce?: boolean;
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
  /** `destroy` at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/**
 * Creates an engine on a GPU device.
 *
 * @example
 * const engine = gpuEngine(await openDevice(navigator.gpu));
 */
export const gpuEngine = (device: Device, options: GpuEngineOptions = {}): Engine =>
  new GpuEngine(device, options);

/**
 * Prepares all graphs in one call of `engine.prepare`, so that their plans share memory and their kernels are
 * tuned together. Returns the programs under the names of their graphs, in the same order.
 */
export async function prepareByName<Name extends string>(
  engine: Engine,
  graphs: Readonly<Record<Name, readonly Graph[]>>,
  options?: PrepareOptions,
): Promise<Record<Name, Program[]>> {
  const lists = Object.entries<readonly Graph[]>(graphs);
  const rest = await engine.prepare(
    lists.flatMap(([, list]) => list),
    options,
  );
  const named = lists.map(([name, list]) => [name, rest.splice(0, list.length)] as const);
  return Object.fromEntries(named) as Record<Name, Program[]>;
}
