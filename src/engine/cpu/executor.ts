// Runs a graph in float64 on the CPU, by the reference implementation of each op: the expected results of the
// GPU. Tensors that the GPU stores as f16 are rounded after their node. Only the CPU engine and checks load
// this file.

import { check, checkTypes, hasType, kindOf } from '../../core/errors.ts';
import { roundToF16 } from '../../core/float16.ts';
import { msg } from '../../core/message.ts';
import { sizeOf } from '../../core/tensor.ts';
import { checkGraph, type Graph } from '../graph/graph.ts';
import { attentionReferences } from '../ops/attention/attention-references.ts';
import { decodingReferences } from '../ops/decoding/decoding-references.ts';
import { elementwiseReferences } from '../ops/elementwise/elementwise-references.ts';
import { embeddingReferences } from '../ops/embedding/embedding-references.ts';
import { lossReferences } from '../ops/loss/loss-references.ts';
import { matmulReferences } from '../ops/matmul/matmul-references.ts';
import { named } from '../ops/named-tensors.ts';
import { normReferences } from '../ops/norm/norm-references.ts';
import type { AnyOp, Attrs, Op, OpReference, Value } from '../ops/op.ts';
import { mutatedBy } from '../ops/op-nodes.ts';
import { optimizerReferences } from '../ops/optimizer/optimizer-references.ts';
import { recurrenceReferences } from '../ops/recurrence/recurrence-references.ts';
import { ReferenceTensor } from '../ops/reference-tensor.ts';
import { rowsReferences } from '../ops/rows/rows-references.ts';

const references = new Map<object, unknown>([
  ...attentionReferences,
  ...decodingReferences,
  ...elementwiseReferences,
  ...embeddingReferences,
  ...lossReferences,
  ...matmulReferences,
  ...normReferences,
  ...optimizerReferences,
  ...recurrenceReferences,
  ...rowsReferences,
]);

/** The reference in the definition of an op, or in *-references.ts; undefined if it has none. */
export const referenceOf = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
): Op<I, O, A>['reference'] => op.reference ?? (references.get(op) as Op<I, O, A>['reference']);

/** Float64 data of every value of a graph; states persist across runs. */
export interface CpuExecutor {
  /** The array of a state, of an input or of a result of the last run, to read or fill. */
  dataOf(value: Value): Float64Array;
  /** Data of a state by name. Throws if there is none. */
  state(name: string): Float64Array;
  /** Runs the graph; returns copies of its outputs. Throws if an input is missing or has another length. */
  run(inputs: Readonly<Record<string, ArrayLike<number>>>): Record<string, Float64Array>;
}

/**
 * Makes an executor; states are zero until filled. `states` lets several graphs share them by name; `others` compute ops
 * in place of their references.
 *
 * @example
 * const graph = new Graph();
 * const x = graph.input('x', 'f32', [2]);
 * graph.output('y', add(graph, x, x));
 * console.log(createCpuExecutor(graph).run({ x: [1, 2] }).y); // [2, 4]
 */
export function createCpuExecutor(
  graph: Graph,
  states = new Map<string, Float64Array>(),
  others: readonly OpReference[] = [],
): CpuExecutor {
  checkGraph('createCpuExecutor', graph);
  check(states instanceof Map, msg`states is ${kindOf(states)}, it must be a map`, {
    area: 'createCpuExecutor',
  });
  checkTypes('createCpuExecutor', 'a list', { others });
  const inPlace = new Map<AnyOp, OpReference[1]>(others);
  const tensors = new Map<Value, ReferenceTensor>();
  const allocate = (v: Value): Float64Array => {
    if (v.at) return dataOf(v.at.buffer).subarray(v.at.offset, v.at.offset + sizeOf(v.shape));
    const data = (v.kind === 'state' && states.get(v.name)) || new Float64Array(sizeOf(v.shape));
    if (v.kind === 'state') states.set(v.name, data);
    return data;
  };
  const tensorOf = (v: Value): ReferenceTensor => {
    const tensor = tensors.get(v) ?? new ReferenceTensor(v.shape, allocate(v));
    tensors.set(v, tensor);
    return tensor;
  };
  const dataOf = (v: Value): Float64Array => tensorOf(v).data;
  return {
    dataOf,
    state(name) {
      const value = graph.states.get(name);
      if (!value) throw new Error(`cpu: there is no state ${name}`);
      return dataOf(value);
    },
    run(inputs) {
      for (const [name, value] of graph.inputs) {
        const given = inputs[name];
        if (!given || given.length !== sizeOf(value.shape))
          throw new Error(
            `cpu: input ${name} needs ${sizeOf(value.shape)} numbers, ${given?.length ?? 'none'} given`,
          );
        if (!hasType(given, 'a list of numbers')) checkTypes('cpu', 'a list of numbers', { [name]: given });
        dataOf(value).set(given);
      }
      for (const node of graph.nodes) {
        const { op, attrs } = node;
        for (const v of node.outputs) dataOf(v).fill(0);
        const outputs = named(op.outputs, node.outputNames, node.outputs.map(tensorOf));
        const reference = inPlace.get(op) ?? referenceOf(op);
        check(reference, () => 'has no reference, which the CPU engine needs; pass reference to defineOp', {
          area: op.name,
        });
        reference(named(op.inputs, node.inputNames, node.inputs.map(tensorOf)), outputs, attrs);
        for (const v of [...node.outputs, ...mutatedBy(node)])
          if (v.dtype === 'f16') dataOf(v).set(dataOf(v).map(roundToF16));
      }
      return Object.fromEntries([...graph.outputs].map(([name, v]) => [name, dataOf(v).slice()]));
    },
  };
}
