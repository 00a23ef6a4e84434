// Compares the in-place forms of an op with its reference: for every pair of `inPlace`, the input is the
// result of another node, so that the planner reuses its memory for the output.

import { sizeOf, type Tensor, type TensorData } from '../../src/core/tensor.ts';
import { createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../src/engine/gpu/gpu-engine.ts';
import { poisonSlots } from '../../src/engine/gpu/isolated-node.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { addOp } from '../../src/engine/ops/elementwise/elementwise-ops.ts';
import type { Attrs, Op, Value } from '../../src/engine/ops/op.ts';
import { variantsOf } from '../../src/engine/ops/op-nodes.ts';
import { stepWords, writeStep } from '../../src/engine/ops/step-scalars.ts';
import { variantKey } from '../../src/engine/plan/kernel-choices.ts';
import { lifetimes } from '../../src/engine/plan/lifetimes.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { gpuDevice } from './gpu.ts';
import { applyToInputs, type OpCheckInputs, relativeError } from './op.ts';

/**
 * Runs `op` once for each set of inputs whose memory an output may reuse. Throws if memory is not reused or
 * results are wrong.
 */
export async function checkInPlace<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  { inputs, attrs, tolerance }: { inputs: OpCheckInputs<I>; attrs: A; tolerance: number },
): Promise<void> {
  const { node } = build(op, inputs, attrs, []);
  const pairs = Object.entries(op.inPlace ?? {}).flatMap(([output, names]) =>
    node.outputNames.includes(output) ? [names as string | readonly string[]].flat() : [],
  );
  const offered = pairs.filter((name) => node.inputNames.includes(name));
  for (const reused of [...offered.map((name) => [name]), [...new Set(offered)]])
    await checkSet(op, inputs, attrs, reused, tolerance);
}

async function checkSet<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  inputs: OpCheckInputs<I>,
  attrs: A,
  reused: readonly string[],
  tolerance: number,
): Promise<void> {
  const device = wrapDevice(await gpuDevice());
  const { graph, data, node } = build(op, inputs, attrs, reused);
  const { shared } = lifetimes(graph);
  const taken = [...shared].filter((s) => s.startsWith(`${node.id}:`));
  if (taken.length === 0) throw new Error(`${op.name}: no output took the memory of input ${reused.join()}`);
  const want = createCpuExecutor(graph).run(data);
  for (const variant of variantsOf(node, device.traits)) {
    const engine = new GpuEngine(device);
    try {
      const kernelChoices = { [variantKey(node)]: variant.name };
      const [runner] = await engine.preparePlans([makePlan(graph, { traits: device.traits, kernelChoices })]);
      if (!runner) throw new Error('no runner');
      poisonSlots(engine);
      for (const [name, d] of Object.entries(data)) runner.inputs[name]?.set(d);
      const got = await runner.run();
      for (const [name, values] of Object.entries(want)) {
        const error = relativeError(got[name] ?? [], values);
        if (!(error <= tolerance))
          throw new Error(
            `${op.name} (${variant.name}, in place ${taken.join(' ')}): ${name} is off by ${error}`,
          );
      }
    } finally {
      engine.destroy();
    }
  }
}

/** A graph of one node of `op`; its inputs `made` are sums with zeros. */
function build<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  inputs: OpCheckInputs<I>,
  attrs: A,
  reused: readonly string[],
) {
  const graph = new Graph();
  const data: Record<string, TensorData> = {};
  const input = (name: string, t: Tensor): Value => {
    const a = graph.input(name, t.dtype, t.shape);
    data[name] = t.data;
    if (!reused.includes(name)) return a;
    data[`zeros ${name}`] = new Float32Array(sizeOf(t.shape));
    return graph.apply(addOp, { a, b: graph.input(`zeros ${name}`, 'f32', t.shape) }).y;
  };
  const { node } = applyToInputs(graph, op, inputs, attrs, input);
  if (graph.inputs.has('step')) {
    data.step = new Uint32Array(stepWords);
    writeStep(data.step as Uint32Array, {
      learningRate: 1e-3,
      tokenWeight: 0.5,
      seed: 7,
      step: 3,
      keep: 1,
      position: 0,
    });
  }
  for (const [i, v] of node.outputs.entries()) graph.output(node.outputNames[i] as string, v);
  return { graph, data, node };
}
