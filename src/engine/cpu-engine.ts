// The engine of the CPU: runs graphs through the ops' float64 references.

import { checkTypes } from '../core/errors.ts';
import { allocate, sizeOf, type Tensor, type TensorData, type TensorType } from '../core/tensor.ts';
import { createCpuExecutor } from './cpu/executor.ts';
import type { Engine, Program } from './engine.ts';
import type { PrepareOptions } from './gpu/gpu-engine.ts';
import { checkSameType } from './gpu/gpu-engine.ts';
import type { Outputs } from './gpu/output-ring.ts';
import { checkGraphs, type Graph } from './graph/graph.ts';
import type { OpReference } from './ops/op.ts';
import { mutatedBy } from './ops/op-nodes.ts';
import { checkObject } from './ops/option-checks.ts';

function roundToF32(data: Float64Array): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(data[i] as number);
}

/** The f32 states that the nodes of a graph write. */
const writtenStates = (graph: Graph): string[] => {
  const written = new Set(graph.nodes.flatMap(mutatedBy).map((value) => value.at?.buffer ?? value));
  return [...graph.states]
    .filter(([, state]) => state.dtype === 'f32' && written.has(state))
    .map(([name]) => name);
};

/** Options of the engine of the CPU. */
export interface CpuEngineOptions {
  /**
   * Whether states stay in float64, to compare trainings with float64 of other libraries; a resumed run then has
   * other bits. [false]
   */
  readonly wideStates?: boolean;
  /** What computes ops in place of their references. [none] */
  readonly others?: readonly OpReference[];
}

/**
 * Creates an engine that runs the ops' float64 references; states are stored in float32, as on a GPU. Accurate and
 * slow: for checks of small models.
 *
 * @example
 * const [program] = await cpuEngine().prepare([graph]);
 */
export function cpuEngine(options: CpuEngineOptions = {}): Engine {
  checkObject('cpuEngine', options, { wideStates: 'a boolean?', others: 'a list?' });
  const { wideStates = false, others = [] } = options;
  return new CpuEngine(wideStates, others);
}

/** Milliseconds between two pauses for timers, messages and signals. */
const yieldInterval = 50;

class CpuEngine implements Engine {
  readonly name = 'cpu';
  readonly runsAtOnce = true;
  readonly kernelChoices = {};
  readonly #wideStates: boolean;
  readonly #others: readonly OpReference[];
  readonly #states = new Map<string, Float64Array>();
  readonly #types = new Map<string, TensorType>();
  #yieldedAt = performance.now();
  /** The end of the last run. */
  #ended: Promise<void> = Promise.resolve();

  constructor(wideStates: boolean, others: readonly OpReference[]) {
    this.#wideStates = wideStates;
    this.#others = others;
  }

  async prepare(graphs: readonly Graph[], options: PrepareOptions = {}): Promise<Program[]> {
    checkGraphs('cpu', graphs);
    checkObject('cpu', options, { inFlight: 'a whole number?', kernelChoices: 'an object?' });
    return graphs.map((graph) => this.#programOf(graph));
  }

  #programOf(graph: Graph): Program {
    for (const [name, type] of graph.states) {
      this.#types.set(name, type);
      if (!this.#states.has(name)) this.#states.set(name, new Float64Array(sizeOf(type.shape)));
    }
    const executor = createCpuExecutor(graph, this.#states, this.#others);
    const inputs: Record<string, TensorData> = {};
    for (const [name, type] of graph.inputs) inputs[name] = allocate(type.dtype, sizeOf(type.shape));
    const rounded = this.#wideStates ? [] : writtenStates(graph);
    /** Runs the graph. States of f32 are rounded, so that one that is read and written back has the same bits. */
    const runGraph = () => {
      const outputs = executor.run(inputs);
      for (const name of rounded) roundToF32(this.#stateOf(name));
      return outputs;
    };
    return {
      inputs,
      run: async () => {
        const outputs: Outputs = {};
        for (const [name, data] of Object.entries(runGraph())) {
          const array = allocate(graph.outputs.get(name)?.dtype ?? 'f32', data.length);
          array.set(data);
          outputs[name] = array;
        }
        await this.#yieldToEvents();
        return outputs;
      },
      submit: () => void runGraph(),
    };
  }

  /** Yields to the event loop from time to time. Runs end in the order of calls. */
  #yieldToEvents(): Promise<void> {
    this.#ended = this.#ended.then(async () => {
      if (performance.now() - this.#yieldedAt < yieldInterval) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#yieldedAt = performance.now();
    });
    return this.#ended;
  }

  /** Does nothing: programs have no memory of their own. */
  release(): void {}

  write(name: string, data: ArrayLike<number>, offset = 0): void {
    if (!ArrayBuffer.isView(data) || !Number.isSafeInteger(offset)) {
      checkTypes('cpu', 'a list of numbers', { data });
      checkTypes('cpu', 'a number', { offset });
    }
    const isNarrow = this.#types.get(name)?.dtype === 'f32' && !this.#wideStates;
    this.#stateOf(name).set(
      isNarrow && !(data instanceof Float32Array) ? Float32Array.from(data) : data,
      offset,
    );
  }

  async read(name: string): Promise<Tensor> {
    const state = this.#stateOf(name);
    const { dtype, shape } = this.#types.get(name) as TensorType;
    const data = allocate(dtype, sizeOf(shape));
    data.set(state);
    return { dtype, shape, data };
  }

  copy(from: string, to: string): void {
    const [source, target] = this.#pair(from, to);
    target.set(source);
  }

  swap(a: string, b: string): void {
    const [x, y] = this.#pair(a, b);
    for (let i = 0; i < x.length; i++) [x[i], y[i]] = [y[i] as number, x[i] as number];
  }

  /** Two states of one type. */
  #pair(a: string, b: string): [Float64Array, Float64Array] {
    const states: [Float64Array, Float64Array] = [this.#stateOf(a), this.#stateOf(b)];
    checkSameType([a, this.#types.get(a) as TensorType], [b, this.#types.get(b) as TensorType]);
    return states;
  }

  #stateOf(name: string): Float64Array {
    const state = this.#states.get(name);
    if (!state) throw new Error(`cpu: there is no state ${name}`);
    return state;
  }

  destroy(): void {
    this.#states.clear();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}
