// CPU time of the page's main thread during a training that sends events at the maximum rate. CPU time depends
// little on the load of the machine.
import { expect, it } from 'vitest';
import { demo } from '../support/demo.ts';
import { mainThreadTimeline } from '../support/main-thread.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

/** The most CPU milliseconds of a task. A task is long from 50 on. */
const limit = 50;

/**
 * Seconds that are measured. Each has the same work: 200 updates, an evaluation and a record of the probe. So a long
 * task of the page's own is in each of them; the garbage collector, or a busy sibling of the core, lengthens single
 * tasks. The longest task is therefore that of the second in which it is shortest.
 */
const seconds = [0, 1, 2, 3];

it.each([1280, 390])(
  'has no long tasks and free time in each frame while a training runs: %i px',
  async (width) => {
    const { page, errors } = await open('train.html', { before: fakeWorker, width });
    await page.waitForSelector('#start:not([disabled])');
    await page.locator('#start').click();
    await page.waitForFunction(() => document.querySelector('.state')?.textContent === 'Training');
    // Full curves, and visible charts.
    await page.evaluate(() => window.fake.train(2000, 10));
    await page.$eval('#curves', (e) => e.scrollIntoView());
    await page.waitForSelector('#curves canvas');

    // A record of the probe: the 144 maps of a model with six layers of eight heads, for a pair of twenty
    // tokens.
    const tokens = Array.from({ length: 20 }, (_, i) => ` token${i}`);
    const weights = Buffer.from(Array.from({ length: 8 * 20 * 20 }, (_, i) => (7 * i) % 250)).toString(
      'base64',
    );
    const attention = (['encoder', 'decoder', 'cross'] as const).flatMap((kind) =>
      Array.from({ length: 6 }, (_, layer) => ({ kind, layer, heads: 8, weights })),
    );
    const next = tokens.map((token) => Array.from({ length: 5 }, () => [token, 0.1] as const));
    const probe = { type: 'probe', source: tokens, target: tokens, attention, next } as const;

    let frames = 0;
    const tasks = await mainThreadTimeline(page, async () => {
      const run = async (record: typeof probe, duration: number) => {
        let frames = 0;
        let messages = 0;
        const begin = performance.now();
        // The maximum rate of the worker: 20 messages per second with ten updates each; an evaluation and a
        // record per second.
        for (let next = begin; performance.now() - begin < duration; ) {
          await new Promise(requestAnimationFrame);
          frames++;
          if (performance.now() < next) continue;
          next += 50;
          window.fake.train(10, 200);
          if (messages++ % 20 === 0)
            window.fake.send({ type: 'probe', probe: { ...record, step: 2000 + messages } as never });
        }
        return frames;
      };
      frames = await page.evaluate(run, probe, 1000 * seconds.length);
    });
    expect(await page.$$eval('#inside .map', (maps) => maps.length)).toBe(144);
    expect(errors).toEqual([]);
    expect(tasks.length).toBeGreaterThan(frames);
    const longest = seconds.map((second) =>
      Math.max(...tasks.flatMap(({ at, ms }) => (Math.floor(at) === second ? [ms] : []))),
    );
    expect(Math.min(...longest), longest.join(', ')).toBeLessThan(limit);
    const total = tasks.reduce((sum, { ms }) => sum + ms, 0);
    expect(total / (60 * seconds.length)).toBeLessThan(1000 / 60);
    await page.close();
  },
);
