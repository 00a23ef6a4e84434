// Runs one op on the GPU and returns its outputs, for tests that check more than `checkOp` does.

import type { TensorData } from '../../src/core/tensor.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../src/engine/gpu/gpu-engine.ts';
import { poisonSlots } from '../../src/engine/gpu/isolated-node.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import type { DeviceTraits } from '../../src/engine/ops/device-traits.ts';
import type { NameOf } from '../../src/engine/ops/named-tensors.ts';
import type { Attrs, Op } from '../../src/engine/ops/op.ts';
import { type StepScalars, stepWords, writeStep } from '../../src/engine/ops/step-scalars.ts';
import { variantKey } from '../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { gpuDevice } from './gpu.ts';
import { applyToInputs, type OpCheckInputs } from './op.ts';

/** Outputs by name, and the changed inputs after the run. */
export interface OpResult<I extends string, O extends string> {
  readonly outputs: { readonly [N in NameOf<O>]: TensorData };
  readonly states: { readonly [N in NameOf<I>]: TensorData };
  readonly dispatches: number;
}

/** Runs `op` once; `'step'` means the step scalars. `traits` overrides those of the device for planning. */
export async function runOp<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  inputs: OpCheckInputs<I>,
  attrs: A,
  {
    step,
    traits,
    variant,
  }: { step?: Partial<StepScalars>; traits?: Partial<DeviceTraits>; variant?: string } = {},
): Promise<OpResult<I, O>> {
  const device = wrapDevice(await gpuDevice());
  const graph = new Graph();
  const words = new Uint32Array(stepWords);
  writeStep(words, { learningRate: 1e-3, tokenWeight: 1, seed: 7, step: 3, keep: 1, position: 0, ...step });
  const { node, tensors } = applyToInputs(graph, op, inputs, attrs);
  for (const [i, v] of node.outputs.entries()) graph.output(node.outputNames[i] as string, v);
  const kernelChoices = variant ? { [variantKey(node)]: variant } : {};
  const plan = makePlan(graph, { traits: { ...device.traits, ...traits }, kernelChoices });
  const engine = new GpuEngine(device);
  try {
    const [runner] = await engine.preparePlans([plan]);
    if (!runner) throw new Error('no runner');
    poisonSlots(engine);
    runner.inputs.step?.set(words);
    for (const [name, t] of tensors) {
      if (graph.states.has(name)) engine.write(name, t.data);
      else runner.inputs[name]?.set(t.data);
    }
    const outputs = await runner.run();
    const states: Record<string, TensorData> = {};
    for (const name of graph.states.keys()) states[name] = (await engine.read(name)).data;
    return { outputs, states, dispatches: plan.passes.length } as OpResult<I, O>;
  } finally {
    engine.destroy();
  }
}
