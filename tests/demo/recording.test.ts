// Recording of the probe during a training in Chrome: its share of the training time, and its passes on the
// GPU.
import type { Page } from 'puppeteer';
import { expect } from 'vitest';
import {
  atBothWidths,
  chooseOption,
  demo,
  fillField,
  openDetails,
  pastePairs,
  untilText,
  withoutModels,
} from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { tinyCorpus } from '../support/training.ts';

const { open } = demo(withoutModels);

/**
 * Counts the dispatches of `attention-weights`, which only the probe uses during a training, in all workers.
 */
async function countPasses(page: Page): Promise<() => Promise<number>> {
  const run = <T>(work: () => T) =>
    Promise.all(page.workers().map((worker) => worker.evaluate(work) as Promise<T>));
  await run(() => {
    const { prototype } = GPUComputePassEncoder;
    const { setPipeline } = prototype;
    const counted = globalThis as unknown as { passes: number };
    counted.passes = 0;
    prototype.setPipeline = function (pipeline) {
      if (pipeline.label.startsWith('attention-weights')) counted.passes++;
      return setPipeline.call(this, pipeline);
    };
  });
  return async () =>
    (await run(() => (globalThis as unknown as { passes: number }).passes)).reduce((a, b) => a + b, 0);
}

itInFull(
  'records in at most 3 % of the training time, and runs nothing on the GPU if recording is off',
  async () => {
    const { page } = await open('train.html?tune=0');
    await pastePairs(page, tinyCorpus);
    await page.select('#settings select', 'tiny');
    await openDetails(page, '#settings details');
    await chooseOption(page, 'Tokenizer', 'word');
    await fillField(page, 'Epochs', '');
    await fillField(page, 'Batch size', '8');
    await fillField(page, 'Dev sentences to translate', '0');
    await fillField(page, 'Probe interval (steps)', '1');
    await untilText(page, '#corpus-summary', 'pairs\\s*96');
    const passes = await countPasses(page);
    // The share after each record, and the seconds in training at that time.
    await page.evaluate(() => {
      const found = { shares: [] as [share: number, seconds: number][], seconds: 0 };
      Object.assign(globalThis, { found });
      globalThis.heddlePage?.session.on((event) => {
        if (event.type === 'steps') found.seconds = event.steps.at(-1)?.seconds ?? 0;
        if (event.type === 'probe') found.shares.push([event.probe.share ?? Number.NaN, found.seconds]);
      });
    });
    const train = async (name: string, steps: number) => {
      await fillField(page, 'Model name', name, 'textbox');
      await fillField(page, 'Steps', String(steps));
      await page.locator('#start').click();
      await untilText(page, '.state', 'Training');
      await untilText(page, '.state', 'Done');
      await untilText(page, '#run', `step ${steps} of ${steps}`);
    };

    await train('recorded', 100);
    const maps = 2 * 3; // layers, and kinds of attention
    const recorded = await page.$eval(
      '#probe-step',
      (slider) => Number((slider as HTMLInputElement).max) + 1,
    );
    expect(recorded).toBeGreaterThan(1);
    expect(recorded).toBeLessThan(101);
    // The first run compiles.
    expect(await passes()).toBe((recorded + 1) * maps);
    await atBothWidths(page, async () => {
      await page.waitForSelector('#probe-cost');
      const cost = await page.$eval('#probe-cost', (e) => e.checkVisibility() && e.textContent);
      const [, share] = /^Recording took ([\d.]+) % of the training time\.$/.exec(cost || '') ?? [];
      expect(Number(share)).toBeGreaterThan(0);
    });
    // Without the longest record: a busy machine may interrupt one for seconds, after which none is made until
    // it is paid.
    const shares = await page.evaluate(
      () => (globalThis as unknown as { found: { shares: [number, number][] } }).found.shares,
    );
    const spent = shares.map(([share, seconds]) => share * seconds);
    const longest = Math.max(...spent.map((s, i) => s - (spent[i - 1] ?? 0)));
    const [, trained = 0] = shares.at(-1) ?? [];
    expect(((spent.at(-1) ?? Number.NaN) - longest) / trained).toBeLessThanOrEqual(0.03);

    const before = await passes();
    await fillField(page, 'Probe interval (steps)', '0');
    await train('unrecorded', 10);
    expect(await passes()).toBe(before);
    await atBothWidths(page, async () => {
      const costs = await page.$$eval('#probe-cost', (all) => all.filter((e) => e.checkVisibility()).length);
      expect(costs).toBe(0);
    });
    await page.close();
  },
  400_000,
);
