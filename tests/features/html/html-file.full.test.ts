// A model as one HTML file, opened from the disk: it loads nothing, and translates as the command does, on the GPU and in
// WebAssembly.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { axeViolations } from '../../support/axe.ts';
import { heddleProcess, scratch } from '../../support/cli.ts';
import { sharedChrome } from '../../support/demo.ts';

const root = join(import.meta.dirname, '../../..');
const texts = ['Tuesday, March 4, 2025', '12:08 in the morning'];
const words = {
  gpu: ['Translated on the GPU.', 'Traducido en la GPU.'],
  wasm: ['Translated in WebAssembly.', 'Traducido en WebAssembly.'],
};

it('translates from the disk without a network as the command does, on the GPU and in WebAssembly', async () => {
  const file = join(scratch(), 'out.html');
  const model = join(root, 'demo/models/en-es.safetensors');
  const made = await heddleProcess(['convert', model, file, '--title', 'Dates & <times>']);
  expect(made).toMatchObject({ status: 0 });
  expect(statSync(file).size).toBeLessThan(6_000_000);
  const again = await heddleProcess(['convert', model, file]);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('--force');
  // The numbers of the file are int8, the default of the format.
  const small = join(scratch(), 'int8');
  expect(await heddleProcess(['convert', model, small, '--to', 'heddle', '--dtype', 'int8'])).toMatchObject({
    status: 0,
  });
  const told = await Promise.all(texts.map((text) => heddleProcess(['translate', small, text])));
  const expected = told.map(({ stdout }) => stdout.trim()).join('\n');
  expect(expected.split('\n')).toHaveLength(texts.length);
  const { browser } = await sharedChrome();
  for (const engine of ['gpu', 'wasm'] as const) {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const seen: string[] = [];
    page.on('request', (request) => seen.push(request.url()));
    page.on('pageerror', (error) => seen.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') seen.push(message.text());
    });
    // The file leaves out software adapters, of which Chrome has one here.
    if (engine === 'gpu')
      await page.evaluateOnNewDocument(() =>
        Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { value: false }),
      );
    await page.setOfflineMode(true);
    const url = pathToFileURL(file).href;
    await page.goto(url);
    expect(await page.title()).toBe('Dates & <times>');
    await page.type('#source', texts.join('\n'));
    await page.waitForFunction(
      (done) => done.includes(document.querySelector('#status')?.textContent ?? ''),
      {},
      words[engine],
    );
    await page.waitForFunction(
      (text) => (document.querySelector('#target') as HTMLOutputElement).value === text,
      {},
      expected,
    );
    expect(seen).toEqual([url]);
    expect(await page.$$eval('#threads path', (paths) => paths.length)).toBeGreaterThan(2);
    await page.$$eval('#target button', ([, second]) => second?.click());
    await page.$eval('#threads .target button', (word) => word.focus());
    expect(await page.$eval('.readout', ({ textContent }) => textContent)).toMatch(/(looks at|mira a) “/);
    for (const theme of ['light', 'dark'])
      for (const [width, height] of [
        [1440, 900],
        [390, 844],
      ] as const) {
        await page.setViewport({ width, height });
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
        if (process.env.HEDDLE_FULL) {
          mkdirSync(join(root, 'runs/screenshots'), { recursive: true });
          await page.screenshot({ path: join(root, `runs/screenshots/html-file-${theme}-${width}.png`) });
        }
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
        ).toBeLessThanOrEqual(0);
        if (engine === 'gpu') expect(await axeViolations(page)).toEqual([]);
      }
    await page.close();
  }
});
