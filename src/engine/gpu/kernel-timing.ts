// Times a kernel variant of a single node, on data like that of a real run.

import type { Node, Variant } from '../ops/op.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { isolate, LoadedPlan, sampleOf, variantPlan } from './isolated-node.ts';
import { pipelinesOf } from './pipelines.ts';

/** Starts to compile a variant of a node. `measureVariant` waits for it. */
export function compileVariant(device: Device, node: Node, variant: Variant): void {
  const plan = variantPlan(isolate(node), variant, device.traits);
  // Errors of the compiler are reported when the kernel runs.
  for (const pass of plan.passes)
    pipelinesOf(device.gpu)
      .get(pass)
      .catch(() => {});
}

/**
 * Returns the minimum time of a variant of a node in milliseconds. A variant slower than 3 · `best` runs only
 * twice.
 */
export async function measureVariant(
  device: Device,
  node: Node,
  variant: Variant,
  best: number,
): Promise<number> {
  const isolated = isolate(node);
  const plan = variantPlan(isolated, variant, device.traits);
  const loaded = await LoadedPlan.load(device, plan, sampleOf(isolated));
  const { runner } = loaded;
  try {
    await runner.time(1); // warms up
    let ms = await runner.time(1);
    if (ms < 3 * best) {
      const repeats = Math.max(1, Math.min(50, Math.round(5 / ms)));
      for (let k = 0; k < 3; k++) ms = Math.min(ms, await runner.time(repeats));
    }
    return ms;
  } finally {
    loaded.destroy();
  }
}

/** Returns the number of floating-point operations of a node. */
export const flopsOf = (node: Node, { traits }: Pick<Device, 'traits'>): number =>
  makePlan(isolate(node).graph, { traits }).flops;
