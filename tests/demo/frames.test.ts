// CPU time of the page's main thread during a training that sends events at the maximum rate. CPU time does not depend on the load of the
// machine.
import { expect, it } from 'vitest';
import { demo } from '../support/demo.ts';
import { mainThreadTasks } from '../support/main-thread.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

it.each([1280, 390])('has no long tasks and free time in each frame while a training runs: %i px', async (width) => {
  const { page, errors } = await open('index.html', { before: fakeWorker, width });
  await page.waitForSelector('#start:not([disabled])');
  await page.locator('#start').click();
  await page.waitForFunction(() => document.querySelector('.state')?.textContent === 'Training');
  // Full curves, and visible charts.
  await page.evaluate(() => window.fake.train(2000, 10));
  await page.$eval('#curves', (e) => e.scrollIntoView());
  await page.waitForSelector('#curves canvas');

  let [frames, seconds] = [0, 0];
  const tasks = await mainThreadTasks(page, async () => {
    ({ frames, seconds } = await page.evaluate(async () => {
      let frames = 0;
      const begin = performance.now();
      // The maximum rate of the worker: 20 messages per second with ten updates each, and one evaluation per second.
      for (let next = begin; performance.now() - begin < 3000; ) {
        await new Promise(requestAnimationFrame);
        frames++;
        if (performance.now() < next) continue;
        next += 50;
        window.fake.train(10, 200);
      }
      return { frames, seconds: (performance.now() - begin) / 1000 };
    }));
  });
  expect(errors).toEqual([]);
  const total = tasks.reduce((a, b) => a + b, 0);
  expect(tasks.length).toBeGreaterThan(frames);
  expect(Math.max(...tasks)).toBeLessThan(50);
  expect(total / (60 * seconds)).toBeLessThan(1000 / 60);
  await page.close();
});
