// The engine of the CPU: runs graphs through the ops' float64 references.

import { allocate, sizeOf, type Tensor, type TensorData, type TensorType } from '../core/tensor.ts';
import { createCpuExecutor } from './cpu/executor.ts';
import type { Engine, Program } from './engine.ts';
import { checkSameType } from './gpu/gpu-engine.ts';
import type { Outputs } from './gpu/output-ring.ts';

function roundToF32(data: Float64Array): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(data[i] as number);
}

/** Options of the engine of the CPU. */
export interface CpuEngineOptions {
  /** Whether states stay in float64, to compare trainings with float64 of other libraries; a resumed run then has other bits. [false] */
  readonly wideStates?: boolean;
}

/**
 * Creates an engine that runs the ops' float64 references; states are stored in float32, as on a GPU. Accurate and
 * slow: for checks of small models.
 *
 * @example
 * const [program] = await cpuEngine().prepare([graph]);
 */
export function cpuEngine({ wideStates = false }: CpuEngineOptions = {}): Engine {
  let yieldedAt = performance.now();
  let earlier: Promise<void> = Promise.resolve();
  /**
   * Yields to the event loop every 50 ms for timers, messages and signals. Runs end in the order of calls.
   */
  const yieldToEvents = (): Promise<void> => {
    earlier = earlier.then(async () => {
      if (performance.now() - yieldedAt < 50) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      yieldedAt = performance.now();
    });
    return earlier;
  };
  const states = new Map<string, Float64Array>();
  const types = new Map<string, TensorType>();
  const stateOf = (name: string): Float64Array => {
    const state = states.get(name);
    if (!state) throw new Error(`cpu: there is no state ${name}`);
    return state;
  };
  const pair = (a: string, b: string): [Float64Array, Float64Array] => {
    const [x, y] = [stateOf(a), stateOf(b)];
    checkSameType([a, types.get(a) as TensorType], [b, types.get(b) as TensorType]);
    return [x, y];
  };
  return {
    name: 'cpu',
    kernelChoices: {},
    prepare: async (graphs) =>
      graphs.map((graph): Program => {
        for (const [name, v] of graph.states) {
          types.set(name, v);
          if (!states.has(name)) states.set(name, new Float64Array(sizeOf(v.shape)));
        }
        const executor = createCpuExecutor(graph, states);
        /** Runs the graph. States of f32 are rounded, so that one that is read and written back has the same bits. */
        const runGraph = () => {
          const outputs = executor.run(inputs);
          for (const [name, { dtype }] of graph.states)
            if (dtype === 'f32' && !wideStates) roundToF32(stateOf(name));
          return outputs;
        };
        const inputs: Record<string, TensorData> = {};
        for (const [name, v] of graph.inputs) inputs[name] = allocate(v.dtype, sizeOf(v.shape));
        return {
          inputs,
          async run() {
            const outputs: Outputs = {};
            for (const [name, data] of Object.entries(runGraph())) {
              const array = allocate(graph.outputs.get(name)?.dtype ?? 'f32', data.length);
              array.set(data);
              outputs[name] = array;
            }
            await yieldToEvents();
            return outputs;
          },
          submit: () => void runGraph(),
        };
      }),
    release: () => undefined,
    write: (name, data, offset = 0) => stateOf(name).set(data, offset),
    async read(name) {
      const { dtype, shape } = types.get(name) as Tensor;
      const data = allocate(dtype, sizeOf(shape));
      data.set(stateOf(name));
      return { dtype, shape, data };
    },
    copy(from, to) {
      const [source, target] = pair(from, to);
      target.set(source);
    },
    swap(a, b) {
      const [x, y] = pair(a, b);
      for (let i = 0; i < x.length; i++) [x[i], y[i]] = [y[i] as number, x[i] as number];
    },
    destroy: () => states.clear(),
    [Symbol.dispose]: () => states.clear(),
  };
}
