// The loop of a training, with a trainer that only counts: what comes between updates, and what an update that fails leaves behind.
import { expect, it } from 'vitest';
import type { Live } from '../../src/jobs/live.ts';
import { type Pause, trainingLoop } from '../../src/jobs/training-loop.ts';
import type { StepReport, Trainer } from '../../src/train/trainer.ts';

/** A loop of `steps` updates; `said` is what happened in order. */
function made({ fails = -1, live }: { fails?: number; live?: Partial<Live> } = {}) {
  const said: string[] = [];
  const trainer = {
    step: 0,
    recipe: { accumulate: 1 },
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
      };
    },
  };
  const context = { emit: () => undefined, signal: new AbortController().signal, live: live as Live };
  return {
    said,
    run: (steps: number, pauses: readonly Pause[] = []) =>
      trainingLoop(trainer as unknown as Trainer, () => ({ shape: 0, tokens: 1, fill() {} }), steps, context, {
        skipped: 0,
        onStep: ({ step }: StepReport) => said.push(`heard ${step}`),
        pauses,
      }),
  };
}

it('waits for what is pending before it pauses, where a count or a question says so, and at the end', async () => {
  const { said, run } = made();
  const pause = (name: string) => async (_: number, final: boolean) => {
    said.push(final ? `${name} at the end` : name);
  };
  let wanted = 0;
  const due = () => ++wanted === 3;
  await run(4, [
    { every: 2, pause: pause('second') },
    { every: 0, due, pause: pause('asked') },
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
  let asked = 0;
  const loop = made({
    live: {
      between() {
        if (++asked !== 2) return undefined;
        loop.said.push('asked');
        return new Promise((resolve) =>
          setTimeout(() => {
            loop.said.push('given back');
            resolve();
          }, 300),
        );
      },
    },
  });
  const { seconds } = await loop.run(4);
  const at = loop.said.indexOf('given back');
  expect(loop.said.slice(0, at)).toContain('heard 1');
  expect(loop.said.slice(0, at)).not.toContain('update 2');
  expect(loop.said.slice(at)).toContain('heard 3');
  expect(seconds).toBeLessThan(0.3); // four updates of a turn of the event loop each, without the wait
});

it('throws what the first failing update throws, and leaves no rejection behind', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    await expect(made({ fails: 1 }).run(9)).rejects.toThrow('update 1 failed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});
