// Profiles heddle's training step on a separate device: GPU time of each pass and compile time of each
// pipeline.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';
import { type Device, openDevice } from '../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../src/engine/gpu/gpu-engine.ts';
import { pipelinesOf } from '../../src/engine/gpu/pipelines.ts';
import { printProfile, profilePasses } from '../../src/engine/gpu/profile.ts';
import { shaderKey } from '../../src/engine/gpu/shader-key.ts';
import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import type { Plan } from '../../src/engine/plan/plan.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { weightsFromTensors } from '../../src/model/weights-from-tensors.ts';
import { batchLoader, stepGraph } from './heddle-contestant.ts';

/**
 * Profiles the step of a case. Returns the lines of two tables: passes and pipelines, the slowest first.
 * Rejects if the adapter has no timestamps.
 */
export async function profileStep(
  golden: GoldenCase,
  kernelChoices: KernelChoices,
  noFuse: readonly string[],
): Promise<string[]> {
  const device = await openDevice(navigator.gpu);
  const engine = new GpuEngine(device);
  try {
    const plan = makePlan(stepGraph(golden, { noFuse }), { traits: device.traits, kernelChoices });
    const compiled = await timePipelines(device, plan);
    const [runner] = await engine.preparePlans([plan]);
    if (!runner) throw new Error('profile: no runner');
    engine.write('weights', weightsFromTensors(parameterList(golden.config), golden.weights));
    batchLoader(golden, runner.inputs)(0);
    return [
      ...printProfile(await profilePasses(device, runner))
        .trimEnd()
        .split('\n'),
      '',
      ...compiled,
    ];
  } finally {
    engine.destroy();
    device.destroy();
  }
}

/**
 * Compiles the pipelines of a plan one after another; returns a line for each, the slowest first. A step
 * compiles them in parallel.
 */
async function timePipelines(device: Device, plan: Plan): Promise<string[]> {
  const pipelines = pipelinesOf(device.gpu);
  const times = new Map<string, number>();
  for (const pass of plan.passes) {
    const name = `${shaderKey(pass.shader)} ${pass.entry} ${JSON.stringify(pass.constants)}`;
    const begun = performance.now();
    await pipelines.get(pass);
    if (!times.has(name)) times.set(name, performance.now() - begun);
  }
  const sorted = [...times].sort(([, a], [, b]) => b - a);
  const all = sorted.reduce((sum, [, ms]) => sum + ms, 0);
  const line = (name: string, ms: number) => `${(ms / 1e3).toFixed(2).padStart(7)} s  ${name}`;
  return [
    line(`to compile ${sorted.length} pipelines one after another`, all),
    ...sorted.map(([name, ms]) => line(name, ms)),
  ];
}
