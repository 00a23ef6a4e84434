// Which passes of heddle's step take the time, on a device of its own.

import type { GoldenCase } from '../../src/formats/golden.ts';
import { openDevice } from '../../src/gpu/device.ts';
import { printProfile, profilePasses } from '../../src/gpu/profile.ts';
import { Session } from '../../src/gpu/session.ts';
import { bankOf, parameterList } from '../../src/model/parameters.ts';
import { type Choices, makePlan } from '../../src/plan/planner.ts';
import { batchLoader, stepGraph } from './heddle.ts';

/** Profiles the step of a case; gives the lines of a table, the dearest passes first. Rejects where the adapter has no timestamps. */
export async function profileStep(golden: GoldenCase, choices: Choices, noFuse: readonly string[]): Promise<string[]> {
  const device = await openDevice(navigator.gpu);
  const session = new Session(device);
  try {
    const plan = makePlan(stepGraph(golden, { noFuse }), { traits: device.traits, choices });
    const [runner] = await session.prepare([plan]);
    if (!runner) throw new Error('profile: no runner');
    session.write('weights', bankOf(parameterList(golden.config), golden.weights));
    batchLoader(golden, runner.inputs)(0);
    return printProfile(await profilePasses(device, runner))
      .trimEnd()
      .split('\n');
  } finally {
    session.destroy();
    device.destroy();
  }
}
