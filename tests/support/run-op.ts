// Runs one op on the GPU and hands back what it wrote, for tests that look closer than `checkOp` does.

import type { Tensor, TensorData } from '../../src/core/tensor.ts';
import { wrapDevice } from '../../src/gpu/device.ts';
import { Session } from '../../src/gpu/gpu-session.ts';
import { Graph } from '../../src/graph/graph.ts';
import type { Attrs, DeviceTraits, Op } from '../../src/ops/op.ts';
import { type StepScalars, stepWords, writeStep } from '../../src/ops/step-scalars.ts';
import { variantKey } from '../../src/plan/kernel-choices.ts';
import { makePlan } from '../../src/plan/planner.ts';
import { gpuDevice } from './gpu.ts';

/** Outputs in their order, and the mutated inputs after the run, by their number. */
export interface OpResult {
  readonly outputs: TensorData[];
  readonly states: Record<number, TensorData>;
  readonly dispatches: number;
}

/** Runs `op` once; `'step'` stands for the step scalars. `traits` overrides those of the device for planning. */
export async function runOp<A extends Attrs>(
  op: Op<A>,
  inputs: (Tensor | 'step')[],
  attrs: A,
  { step, traits, variant }: { step?: Partial<StepScalars>; traits?: Partial<DeviceTraits>; variant?: string } = {},
): Promise<OpResult> {
  const device = wrapDevice(await gpuDevice());
  const graph = new Graph();
  const words = new Uint32Array(stepWords);
  writeStep(words, { learningRate: 1e-3, tokenWeight: 1, seed: 7, step: 3, keep: 1, position: 0, ...step });
  const values = inputs.map((t, i) => {
    if (t === 'step') return graph.input('step', 'u32', [stepWords]);
    return op.mutates?.includes(i) ? graph.state(`in${i}`, t.dtype, t.shape) : graph.input(`in${i}`, t.dtype, t.shape);
  });
  graph.apply(op, values, attrs).forEach((v, i) => {
    graph.output(`${i}`, v);
  });
  const node = graph.nodes[0];
  const kernelChoices = variant && node ? { [variantKey(node)]: variant } : {};
  const plan = makePlan(graph, { traits: { ...device.traits, ...traits }, kernelChoices });
  const session = new Session(device);
  try {
    const [runner] = await session.prepare([plan]);
    if (!runner) throw new Error('no runner');
    session.poison();
    for (const [i, t] of inputs.entries()) {
      if (t === 'step') runner.inputs.step?.set(words);
      else if (op.mutates?.includes(i)) session.write(`in${i}`, t.data);
      else runner.inputs[`in${i}`]?.set(t.data);
    }
    const out = await runner.run();
    const states: Record<number, TensorData> = {};
    for (const i of op.mutates ?? []) states[i] = (await session.read(`in${i}`)).data;
    const outputs = Object.keys(plan.outputs).map((_, i) => out[`${i}`] as TensorData);
    return { outputs, states, dispatches: plan.passes.length };
  } finally {
    session.destroy();
  }
}
