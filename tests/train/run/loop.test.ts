// The training loop with a fake trainer: step gate, pauses, failed updates, non-finite losses, and the
// training clock.
import { describe, expect, it } from 'vitest';
import { type Pause, TrainingClock, type TrainingGate, TrainingLoop } from '../../../src/train/run/loop.ts';
import type { StepReport, Trainer } from '../../../src/train/update/trainer.ts';
import { errorAbout } from '../../support/expect-error.ts';

/** What differs in the reports of the updates, by their numbers from 0. */
type Report = Partial<StepReport> | ((step: number) => Partial<StepReport>);

/** A loop of `steps` updates; `said` lists the events in order. */
function made({
  fails = -1,
  gate,
  report = {},
}: {
  fails?: number;
  gate?: Partial<TrainingGate>;
  report?: Report;
} = {}) {
  const said: string[] = [];
  const trainer = {
    step: 0,
    recipe: { gradientAccumulationSteps: 1 },
    async update() {
      const step = trainer.step++;
      said.push(`update ${step}`);
      await new Promise((resolve) => setTimeout(resolve));
      if (step >= fails && fails >= 0) throw new Error(`update ${step} failed`);
      said.push(`came ${step}`);
      return {
        step,
        loss: step,
        accuracy: 0,
        tokens: 1,
        learningRate: 0,
        gradientNorm: 1,
        skipped: false,
        lossScale: 0,
        ...(typeof report === 'function' ? report(step) : report),
      };
    },
  };
  const context = { emit: () => undefined, signal: new AbortController().signal };
  return {
    said,
    async run(steps: number, pauses: readonly Pause[] = []) {
      const loop = new TrainingLoop(trainer as unknown as Trainer, context, {
        batchAt: () => ({ shape: 0, tokens: 1, fill() {} }),
        steps,
        skipped: 0,
        onStep: ({ step }: StepReport) => said.push(`heard ${step}`),
        pauses,
        gate: gate as TrainingGate | undefined,
      });
      await loop.run();
      return loop;
    },
  };
}

it('waits for pending updates before a pause, after some steps and at the end', async () => {
  const { said, run } = made();
  const pause = (name: string) => async (_: number, final: boolean) => {
    said.push(final ? `${name} at the end` : name);
  };
  let step = 0;
  await run(4, [
    { due: () => ++step === 2, pause: pause('second') },
    { due: () => step === 3, pause: pause('asked') },
  ]);
  expect(said.filter((s) => !/^(update|came)/.test(s))).toEqual([
    'heard 0',
    'heard 1',
    'second',
    'heard 2',
    'asked',
    'heard 3',
    'second at the end',
    'asked at the end',
  ]);
});

it('gives a host the engine between two updates, with its clock stopped', async () => {
  let calls = 0;
  const loop = made({
    gate: {
      between() {
        if (++calls !== 2) return undefined;
        loop.said.push('asked');
        return () => {
          loop.said.push('begun');
          return new Promise((resolve) =>
            setTimeout(() => {
              loop.said.push('given back');
              resolve();
            }, 1000),
          );
        };
      },
    },
  });
  const { seconds } = await loop.run(4);
  const at = loop.said.indexOf('given back');
  // The work begins after the pending update has come back.
  expect(loop.said.slice(0, loop.said.indexOf('begun'))).toContain('heard 1');
  expect(loop.said.slice(0, at)).not.toContain('update 2');
  expect(loop.said.slice(at)).toContain('heard 3');
  expect(seconds).toBeLessThan(1); // four updates of a turn of the event loop each, without the wait
});

it('throws what the first failing update throws, and leaves no rejection behind', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    await expect(made({ fails: 1 }).run(9)).rejects.toThrow(new Error('update 1 failed'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

describe('updates that are skipped', () => {
  const skipped = { skipped: true, gradientNorm: Number.NaN };

  it('end the run if the loss is NaN, with the number of the step from 1', async () => {
    const { run, said } = made({ report: { ...skipped, loss: Number.NaN } });
    await expect(run(100)).rejects.toThrow(errorAbout({ values: [21] }));
    expect(said).toContain('heard 20');
    expect(said).not.toContain('heard 21');
  });

  it('end it if the loss is finite but the loss scale is at its minimum, or there is none', async () => {
    for (const [lossScale, said] of [
      [0, ''],
      [1, ', at the minimum loss scale'],
    ] as const)
      await expect(made({ report: { ...skipped, loss: 2.5, lossScale } }).run(100)).rejects.toThrow(
        errorAbout({ options: ['checkFinite'], values: [50, 2.5, 50, said] }),
      );
  });

  it('do not end it if the loss scale can still fall, or an update between them succeeds', async () => {
    const falling = await made({ report: { ...skipped, loss: 2.5, lossScale: 2 } }).run(100);
    expect(falling.skipped).toBe(100);
    const report = (step: number) => (step % 50 === 49 ? {} : { ...skipped, loss: 2.5 });
    expect((await made({ report }).run(120)).skipped).toBe(118);
  });
});

describe('the training clock', () => {
  function made() {
    let now = 5000;
    const slept: number[] = [];
    const clock = new TrainingClock(
      (seconds) => slept.push(seconds),
      () => now,
    );
    const advance = (seconds: number) => {
      now += seconds * 1000;
    };
    const step = (seconds: number) => {
      advance(seconds);
      return clock.step();
    };
    return { clock, slept, advance, step };
  }

  it('counts updates and not pauses', async () => {
    const { clock, advance, step } = made();
    expect(step(2)).toBeCloseTo(2);
    await clock.paused(async () => advance(500));
    expect(step(1)).toBeCloseTo(3);
    expect(clock.seconds()).toBeCloseTo(3);
  });

  it('treats a wait far longer than all others as machine sleep, and counts it as the longest update', () => {
    const { slept, step } = made();
    for (let i = 0; i < 10; i++) step(0.5);
    expect(step(3600)).toBeCloseTo(5.5);
    expect(slept).toEqual([3600]);
    expect(step(0.5)).toBeCloseTo(6);
  });

  it('counts slow updates: the first, which compile kernels, and any others', () => {
    const { slept, step } = made();
    expect(step(60)).toBeCloseTo(60);
    for (let i = 0; i < 20; i++) step(3);
    expect(step(50)).toBeCloseTo(170);
    expect(slept).toEqual([]);
  });
});
