// The example of docs/engine.md.

import { expect, it } from 'vitest';
import { trainClassifier } from '../../docs/examples/classifier.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { gpuDevice } from '../support/gpu.ts';
import { relativeError } from '../support/op.ts';

it('trains to separate two rings', async () => {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  const { losses, accuracy } = await trainClassifier(engine);
  engine.destroy();
  expect(losses[0]).toBeGreaterThan(0.6);
  expect(losses.at(-1)).toBeLessThan(0.05);
  expect(accuracy).toBe(1);
});

it('has the same losses as the CPU references', async () => {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  const { losses } = await trainClassifier(engine, 5);
  engine.destroy();
  expect(relativeError(losses, (await trainClassifier(cpuEngine(), 5)).losses)).toBeLessThan(1e-4);
});
