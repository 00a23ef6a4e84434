// Runs a graph through the ops' references, in float64 on the CPU: the arbiter that GPU results are held against. Slow by design.
// What lies in f16 on the GPU is rounded after the node that made it.

import { roundToF16 } from '../core/float16.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../ops/op.ts';

/** Float64 data of every value of a graph; states persist across runs. */
export interface CpuExecutor {
  /** Data of a state or a result of the last run, or of an input; the array itself, to be filled or read. */
  of(value: Value): Float64Array;
  /** Data of a state by name. */
  state(name: string): Float64Array;
  /** Runs the graph once on inputs by name; returns the outputs by name. */
  run(inputs: Readonly<Record<string, ArrayLike<number>>>): Record<string, Float64Array>;
}

const roundAll = (data: Float64Array): void => {
  for (let i = 0; i < data.length; i++) data[i] = roundToF16(data[i] as number);
};

/** Makes an executor; states are zero until filled. `states` lets several graphs share them by name. */
export function createCpuExecutor(graph: Graph, states = new Map<string, Float64Array>()): CpuExecutor {
  const data = new Map<Value, Float64Array>();
  const of = (v: Value): Float64Array => {
    let array = data.get(v);
    if (!array) {
      if (v.at) {
        const bank = of(v.at.bank);
        array = bank.subarray(v.at.offset, v.at.offset + sizeOf(v.shape));
      } else if (v.kind === 'state') {
        array = states.get(v.name) ?? new Float64Array(sizeOf(v.shape));
        states.set(v.name, array);
      } else array = new Float64Array(sizeOf(v.shape));
      data.set(v, array);
    }
    return array;
  };
  const call = (v: Value) => ({ shape: v.shape, data: of(v) });
  return {
    of,
    state(name) {
      const value = graph.states.get(name);
      if (!value) throw new Error(`cpu: there is no state ${name}`);
      return of(value);
    },
    run(inputs) {
      for (const [name, value] of graph.inputs) {
        const given = inputs[name];
        if (!given || given.length !== sizeOf(value.shape))
          throw new Error(`cpu: input ${name} needs ${sizeOf(value.shape)} numbers, ${given?.length ?? 'none'} given`);
        of(value).set(given);
      }
      for (const node of graph.nodes) {
        for (const v of node.outputs) of(v).fill(0);
        node.op.reference({ attrs: node.attrs, inputs: node.inputs.map(call), outputs: node.outputs.map(call) });
        for (const v of [...node.outputs, ...(node.op.mutates ?? []).map((i) => node.inputs[i] as Value)])
          if (v.dtype === 'f16') roundAll(of(v));
      }
      return Object.fromEntries([...graph.outputs].map(([name, v]) => [name, of(v).slice()]));
    },
  };
}
