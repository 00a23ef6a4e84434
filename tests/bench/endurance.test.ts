// The endurance test on a toy model, with a clock that the steps advance.
import { afterEach, expect, it, vi } from 'vitest';
import type { ApiCounter } from '../../bench/peers/api-counter.ts';
import type { Contestant } from '../../bench/peers/contestant.ts';
import { runEndurance, warmups } from '../../bench/peers/endurance.ts';
import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';

afterEach(() => void vi.restoreAllMocks());

/** Runs `steps` steps with duration `ms(i, run)`, loss `loss(i, run)` and bytes `bytes(i)`. */
function run(
  steps: number,
  { ms = (_: number, __: number) => 10, loss = (i: number, _: number) => i, bytes = (_: number) => 64 },
) {
  let [now, done, runs] = [0, 0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const model = () => {
    const own = runs++;
    done = 0;
    return {
      async step() {
        now += ms(done, own);
        return loss(done++, own);
      },
      dispose() {},
    };
  };
  const contestant = { name: 'toy', model } as unknown as Contestant;
  const meter = { bytesOf: () => ({ live: bytes(done), peak: 0 }) } as unknown as ApiCounter;
  return runEndurance(contestant, meter, {} as GoldenCase, steps, () => {});
}

it('ignores time and bytes of the warm-up', async () => {
  const found = await run(400, {
    ms: (i) => (i < warmups ? 50 : i < 360 ? 10 : 11),
    bytes: (i) => (i < warmups ? 32 : 64),
  });
  expect(found).toMatchObject({
    steps: 400,
    warmups: 100,
    firstMs: 10,
    lastMs: 11,
    bytesBefore: 64,
    bytesAfter: 64,
  });
});

it('reports both runs together and each run', async () => {
  const found = await run(400, {
    ms: (i, own) => (own === 0 && i >= 360 ? 8 : own === 1 && i >= 360 ? 12 : 10),
  });
  expect(found).toMatchObject({ firstMs: 10, lastMs: 10 });
  expect(found.runs).toEqual([
    { firstMs: 10, lastMs: 8 },
    { firstMs: 10, lastMs: 12 },
  ]);
});

it('detects different losses in the second run', async () => {
  expect((await run(200, {})).sameBits).toBe(true);
  expect((await run(200, { loss: (i, own) => (i === 199 ? own : i) })).sameBits).toBe(false);
});
