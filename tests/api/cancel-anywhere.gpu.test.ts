// Cancellation at many moments of real calls, on devices whose pipelines are not compiled yet, with tuning: an
// AbortError within 300 ms of the moment for which the abort was planned, so that work that blocks the thread counts
// too. In `npm run test:full`, in Node and in Chrome with SwiftShader, where pipelines compile for seconds.

import { expect } from 'vitest';
import { Model } from '../../src/api/model.ts';
import { planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { registerHost } from '../../src/session/host.ts';
import { Session } from '../../src/session/session.ts';
import { gpuDevice, gpuHost } from '../support/gpu.ts';
import { itInFull } from '../support/in-full.ts';
import { letterModel } from '../support/saved-model.ts';

const pairs = Array.from({ length: 400 }, (_, i) => ({
  source: [...`${i}`].map((digit) => 'abcde'[Number(digit) % 5]).join(''),
  target: [...`${i}`].map((digit) => 'edcba'[Number(digit) % 5]).join(''),
}));
const host = { files: memoryFiles(), modelPath: (name: string) => name, cachePath: (name: string) => name };
/** A model that nobody has used. */
const newModel = async () => {
  registerHost(host);
  const { currentHost } = await import('../../src/session/host.ts');
  return new Model(letterModel(), new Session(currentHost(), { device: await gpuDevice() }), {
    ownsSession: true,
  });
};

/** Calls with a signal that take seconds on a device without compiled pipelines; `set` is not part of the call. */
const calls: Readonly<Record<string, () => Promise<(signal: AbortSignal) => Promise<unknown>>>> = {
  async translate() {
    const model = await newModel();
    return (signal) => model.translate(['bad cab', 'a', 'dead'], { signal, beams: 4 });
  },
  async evaluate() {
    const model = await newModel();
    return (signal) => model.evaluate(pairs.slice(0, 64), { signal });
  },
  async train() {
    const device = await gpuDevice();
    registerHost(host);
    return (signal) =>
      train(pairs, {
        device,
        signal,
        preset: 'tiny',
        tokenizer: 'char',
        steps: 40,
        heldOut: 0.1,
        evalSteps: 3,
      });
  },
  async planTraining() {
    const device = await gpuDevice();
    registerHost(host);
    return (signal) =>
      planTraining(pairs, { device, signal, preset: 'small', tokenizer: 'char', heldOut: 0 });
  },
};

/** Processes that want a core, for each core: in Node other programs delay a timer; Chrome has processes of its own. */
async function load(): Promise<number> {
  if (gpuHost !== 'Dawn') return 1;
  const { cpus, loadavg } = await import(/* @vite-ignore */ 'node:os');
  return Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
}

/** Milliseconds after the start of a call. */
const moments = [0, 10, 30, 60, 100, 200, 400, 800, 1500, 3000, 6000];

itInFull.each(Object.keys(calls))(
  '%s ends within 300 ms of an abort at any moment',
  async (name) => {
    const late: number[] = [];
    for (const moment of moments) {
      const call = await (calls[name] as (typeof calls)[string])();
      const stop = new AbortController();
      const begin = performance.now();
      setTimeout(() => stop.abort(), moment);
      const outcome = await call(stop.signal).then(
        () => 'resolved',
        (error: unknown) => error,
      );
      const after = performance.now() - begin - moment;
      if (!stop.signal.aborted) break; // the call was faster
      late.push(Math.round(after));
      // A training that has done its first step resolves with the model so far.
      if (outcome !== 'resolved' || name !== 'train') expect(outcome).toMatchObject({ name: 'AbortError' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    console.log(
      `${name}: ${late.join(', ')} ms after aborts at ${moments.slice(0, late.length).join(', ')} ms`,
    );
    expect(late.length).toBeGreaterThan(0);
    // A training that has done its first step resolves with the model so far.
    expect(Math.max(...late)).toBeLessThan(300 * (await load()));
  },
  300_000,
);
