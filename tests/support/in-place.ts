// Holds an op's in-place forms against its reference: every pair that it offers, with the input made by another node, so that the
// planner hands its memory over.

import { sizeOf, type Tensor, type TensorData } from '../../src/core/tensor.ts';
import { createCpuExecutor } from '../../src/cpu/executor.ts';
import { wrapDevice } from '../../src/gpu/device.ts';
import { Session } from '../../src/gpu/gpu-session.ts';
import { Graph } from '../../src/graph/graph.ts';
import { addOp } from '../../src/ops/elementwise/add.ts';
import type { Attrs, Node, Op, Value } from '../../src/ops/op.ts';
import { stepWords, writeStep } from '../../src/ops/step-scalars.ts';
import { variantKey } from '../../src/plan/kernel-choices.ts';
import { lifetimes } from '../../src/plan/lifetimes.ts';
import { makePlan } from '../../src/plan/planner.ts';
import { gpuDevice } from './gpu.ts';
import { relativeError } from './op.ts';

/** Runs `op` once for each set of inputs that may hand over their memory; throws unless they did and the results are right. */
export async function checkInPlace<A extends Attrs>(
  op: Op<A>,
  { inputs, attrs, tolerance }: { inputs: (Tensor | 'step')[]; attrs: A; tolerance: number },
): Promise<void> {
  const pairs = op.inPlace?.(build(op, inputs, attrs, []).node) ?? [];
  const sets = [...pairs.map(([from]) => [from]), [...new Set(pairs.map(([from]) => from))]];
  for (const made of sets) await checkSet(op, inputs, attrs, made, tolerance);
}

async function checkSet<A extends Attrs>(
  op: Op<A>,
  inputs: (Tensor | 'step')[],
  attrs: A,
  made: readonly number[],
  tolerance: number,
): Promise<void> {
  const device = wrapDevice(await gpuDevice());
  const { graph, data, node } = build(op, inputs, attrs, made);
  const { shared } = lifetimes(graph);
  const taken = [...shared].filter((s) => s.startsWith(`${node.id}:`));
  if (taken.length === 0) throw new Error(`${op.name}: no memory was handed over from input ${made.join()}`);
  const want = createCpuExecutor(graph).run(data);
  for (const variant of op.variants?.(node, device.traits) ?? ['only']) {
    const session = new Session(device);
    try {
      const [runner] = await session.prepare([
        makePlan(graph, { traits: device.traits, kernelChoices: { [variantKey(node as unknown as Node)]: variant } }),
      ]);
      if (!runner) throw new Error('no runner');
      session.poison();
      for (const [name, d] of Object.entries(data)) runner.inputs[name]?.set(d);
      const got = await runner.run();
      for (const [name, values] of Object.entries(want)) {
        const error = relativeError(got[name] ?? [], values);
        if (!(error <= tolerance))
          throw new Error(`${op.name} (${variant}, in place ${taken.join(' ')}): ${name} is off by ${error}`);
      }
    } finally {
      session.destroy();
    }
  }
}

/** A graph of `op` alone, but for the inputs `made`, which are sums with zeros. */
function build<A extends Attrs>(op: Op<A>, inputs: (Tensor | 'step')[], attrs: A, made: readonly number[]) {
  const graph = new Graph();
  const data: Record<string, TensorData> = {};
  const values = inputs.map((t, i): Value => {
    if (t === 'step') {
      data.step = new Uint32Array(stepWords);
      writeStep(data.step, { learningRate: 1e-3, tokenWeight: 0.5, seed: 7, step: 3, keep: 1, position: 0 });
      return graph.input('step', 'u32', [stepWords]);
    }
    data[`in${i}`] = t.data;
    const input = graph.input(`in${i}`, t.dtype, t.shape);
    if (!made.includes(i)) return input;
    data[`zeros${i}`] = new Float32Array(sizeOf(t.shape));
    return graph.apply(addOp, [input, graph.input(`zeros${i}`, 'f32', t.shape)], {})[0] as Value;
  });
  graph.apply(op, values, attrs).forEach((v, i) => {
    graph.output(`out${i}`, v);
  });
  return { graph, data, node: graph.nodes[graph.nodes.length - 1] as unknown as Node<A> };
}
