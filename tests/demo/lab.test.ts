// The built kernel lab, on Chrome's software adapter.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'puppeteer';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { LabResults } from '../../demo/lab/lab-protocol.ts';
import { chosenKernels } from '../../src/bench/measure-kernels.ts';
import { axeViolations } from '../support/axe.ts';
import { type DemoPage, type DemoPageOptions, demo } from '../support/demo.ts';

const { open } = demo();

const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
const says = (page: Page, pattern: string) =>
  page.waitForFunction(
    (p) => new RegExp(p).test(document.querySelector('.status')?.textContent ?? ''),
    { timeout: 150_000 },
    pattern,
  );
const press = (page: Page, name: string) => page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

/** Opens the lab, ready to measure the small kernels with `filter` in their name. */
async function openLab(filter: string, options: DemoPageOptions = {}): Promise<DemoPage> {
  const lab = await open('lab.html', options);
  await lab.page.waitForSelector('#controls form');
  if (filter) await lab.page.type('input[type=search]', filter);
  return lab;
}

describe('a measurement', () => {
  const filter = 'norm';
  const names = chosenKernels('small', filter).map(({ name }) => name);
  let lab: DemoPage;
  beforeAll(async () => {
    lab = await openLab(filter, {
      before: () => {
        // Lets a test send messages as the worker.
        globalThis.Worker = class extends Worker {
          constructor(...given: ConstructorParameters<typeof Worker>) {
            super(...given);
            Object.assign(globalThis, { labWorker: this });
          }
        };
      },
    });
    await press(lab.page, 'Measure');
    await says(lab.page, '^Done: ');
  }, 180_000);

  it('shows every kernel as correct, in the table and the roofline', async () => {
    const { page } = lab;
    const status = await text(page, '.status');
    expect(status).toContain(`Done: ${names.length} kernels, all correct. The roofs differ by `);
    expect(status).toMatch(/differ by [\d.]+ % before and after\.( This machine is busy: measure again\.)?$/);
    expect(await page.$$eval('.kernels tbody th', (cells) => cells.map((c) => c.textContent))).toEqual(names);
    const cells = await page.$$eval('.kernels tbody tr:first-child td', (all) => all.map((c) => c.textContent ?? ''));
    expect(cells[0]).toMatch(/^[\d.,]+ (µs|ms|s)$/);
    expect(cells[1]).toMatch(/^± [\d.]+ %$/);
    expect(cells[5]).toMatch(/^(exact|\de−\d)$/);
    expect(
      await page.$$eval('.plot .place', (marks) => marks.map((m) => m.getAttribute('data-kernel')).sort()),
    ).toEqual([...names].sort());
    expect(await page.$$eval('.roof-name', (t) => t.map((e) => e.textContent).join(' '))).toMatch(
      /copies [\d.,]+ GB\/s multiply-adds [\d.,]+ GFLOP\/s/,
    );
    expect(await text(page, '.adapter')).toContain('swiftshader');
  });

  it('can show all variants, in table and chart', async () => {
    const { page } = lab;
    const count = () => page.$$eval('.kernels tbody tr', (rows) => rows.length);
    const marks = () => page.$$eval('.plot .place', (all) => all.length);
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForSelector('.kernels tr.slower');
    expect(await count()).toBeGreaterThan(names.length);
    expect(await marks()).toBe(await count());
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForFunction(() => !document.querySelector('.kernels tr.slower'));
    expect(await count()).toBe(names.length);
  });

  it('highlights the same kernel in chart and table', async () => {
    const { page } = lab;
    const [, second = ''] = names;
    await page.hover('.kernels tbody tr:nth-child(2) td');
    expect(await text(page, '.readout')).toMatch(/GFLOP\/s at .* FLOP\/byte, .* % of the roofline$/);
    expect(await text(page, '.readout')).toContain(second);
    expect(await page.$eval('.place.pointed', (mark) => mark.getAttribute('data-kernel'))).toBe(second);
    const mark = await page.$(`.place[data-kernel="${names[0]}"]`);
    await mark?.hover();
    expect(await page.$eval('.kernels tr.pointed', (row) => row.dataset.kernel)).toBe(names[0]);
  });

  it('reports features, limits, the subgroup size, and the maximum error of each kernel', async () => {
    const { page } = lab;
    const report = await text(page, '#conformance');
    expect(report).toMatch(/timestamp-query(yes|no)/);
    expect(report).toMatch(/subgroup size(\d+|—)/);
    expect(report).toContain('maxComputeWorkgroupStorageSize16 Ki');
    for (const name of names) expect(report).toContain(name);
    expect(report).not.toContain('fails');
  });

  it('copies and shows the results as JSON', async () => {
    const { page } = lab;
    await page
      .browserContext()
      .overridePermissions(new URL(page.url()).origin, [
        'clipboard-read',
        'clipboard-write',
        'clipboard-sanitized-write',
      ]);
    await page.bringToFront();
    await press(page, 'Copy as JSON');
    await page.waitForFunction(() =>
      /^(Copied|This browser)/.test(document.querySelector('#results .hint')?.textContent ?? ''),
    );
    const json = JSON.parse(await text(page, '.json')) as LabResults;
    expect(await text(page, '#results .hint')).toBe('Copied.');
    expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(json);
    expect(json.kernels.map(({ name }) => name)).toEqual(names);
    expect(json.machine.adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader' });
    expect(json.machine.agent).toContain('Chrome/');
    expect(json.machine.browser.join()).toMatch(/Chrom\w+ \d+\.\d+/);
    expect(json.machine.flags).toContain('enable-unsafe-webgpu');
    expect(json.conformance.passed).toBe(true);
    for (const { rate } of [json.roofs.bandwidth, json.roofs.peak]) expect(rate).toBeGreaterThan(0);
    for (const { variants, bytes } of json.kernels) {
      expect(bytes).toBeGreaterThan(0);
      for (const v of variants) {
        expect(v.passed).toBe(true);
        if (v.rounds !== 1) expect(v.rounds).toBe(5); // a variant that cannot be the fastest runs once
        expect(v.low).toBeLessThanOrEqual(v.ms as number);
        expect(v.high).toBeGreaterThanOrEqual(v.ms as number);
      }
    }
  });

  it('shows other libraries in chart and table', async () => {
    const { page } = lab;
    const form = (contestant: string, us: number) => ({ contestant, form: '', us, gflops: null, calls: 1, error: 0 });
    const forms = [form('heddle', 100), form('tfjs', 400), form('tfjs', 900), form('jax-js', 200)];
    const results = [
      { name: 'matmul 256³', flops: 2 * 256 ** 3, bytes: 3 * 4 * 256 ** 2, forms },
      { name: 'without arithmetic', flops: 0, bytes: 100, forms },
    ] satisfies TimedKernel[];
    await page.evaluate((all) => {
      const { labWorker } = globalThis as unknown as { labWorker: Worker };
      for (const kernel of all)
        labWorker.dispatchEvent(new MessageEvent('message', { data: { type: 'peer-kernel', kernel } }));
    }, results);
    await page.waitForSelector('.plot .library-tfjs');
    const marks = await page.$$eval('.plot [class*="library-"]', (all) =>
      all.map((m) => [m.getAttribute('data-kernel'), /library-\w+/.exec(m.getAttribute('class') ?? '')?.[0]]),
    );
    expect(marks.sort()).toEqual(['heddle', 'jax', 'tfjs'].map((id) => ['matmul 256³', `library-${id}`]));
    expect(await text(page, '.legend')).toMatch(/heddle, in the comparisonTensorFlow\.jsjax-js$/);
    await (await page.$('.plot .library-tfjs'))?.hover();
    expect(await text(page, '.readout')).toMatch(
      /^matmul 256³ \(TensorFlow\.js\): 83\.9 GFLOP\/s at 42\.7 FLOP\/byte, [\d.]+ % of the roofline$/,
    );
    expect(await text(page, '#peer-table tbody tr')).toBe('matmul 256³100 µs400 µs 4 ×200 µs 2 ×');
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('passes axe and fits its width at %i px, %s', async (width, theme) => {
    const { page, screenshot } = lab;
    await page.mouse.move(0, 0);
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    await page.waitForFunction((w) => Number(document.querySelector('.plot')?.getAttribute('width')) < w, {}, width);
    await page.$$eval('details', (all) => {
      for (const details of all) details.open = true;
    });
    expect(await axeViolations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.$$eval('details', (all) => {
      for (const details of all) details.open = false;
    });
    await screenshot(`lab-${width}-${theme}`);
  });

  it('has requested only its own origin, no other library, and reported no error', async () => {
    expect(lab.errors).toEqual([]);
    expect(lab.requests.filter((url) => /tfjs|jax/.test(url))).toEqual([]);
    await lab.page.close();
  });
});

describe('the lab', () => {
  let lab: DemoPage | undefined;
  afterEach(async () => {
    await lab?.page.close();
    lab = undefined;
  });

  it('works with the keyboard only, stays responsive while it measures, and stops', async () => {
    lab = await openLab('');
    const { page } = lab;
    await page.focus('input[type=search]');
    for (let i = 0; i < 8 && !(await page.$('button.main:focus')); i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.kernels tbody tr', { timeout: 120_000 });
    // The page responds while the worker measures the next kernel.
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForSelector('.kernels tr.slower');
    expect(await page.$('button.main:disabled')).not.toBeNull();
    await page.keyboard.down('Shift');
    for (let i = 0; i < 8 && !(await page.$('.go button:focus')); i++) await page.keyboard.press('Tab');
    await page.keyboard.up('Shift');
    await page.keyboard.press('Enter');
    await says(page, '^Stopped after \\d+ kernels?\\.$');
    expect(await page.$('button.main:disabled')).toBeNull();
    expect(lab.errors).toEqual([]);
  });

  it('offers the libraries that were installed at build time, and marks the others as missing', async () => {
    lab = await openLab('');
    const needs = { tfjs: '@tensorflow/tfjs-backend-webgpu', jax: '@jax-js/jax' };
    const hint = await text(lab.page, '#peers-hint');
    for (const [id, name] of Object.entries(needs)) {
      const installed = existsSync(resolve(import.meta.dirname, '../../bench/peers/node_modules', name));
      const disabled = await lab.page.$eval(`input[value=${id}]`, (box) => (box as HTMLInputElement).disabled);
      expect(disabled).toBe(!installed);
      if (!installed) expect(hint).toMatch(/not part of this page/);
    }
  });

  it('reports a filter that matches no kernel', async () => {
    lab = await openLab('no such kernel');
    await press(lab.page, 'Measure');
    await says(lab.page, '^No kernel of the set small has .no such kernel. in its name');
  });

  it('reports a crash of the GPU process, and measures again after it', async () => {
    lab = await openLab('softmax');
    const { page } = lab;
    await press(page, 'Measure');
    await says(page, 'bandwidth and peak');
    const session = await page.browser().target().createCDPSession();
    await session.send('Browser.crashGpuProcess' as never).catch(() => {});
    await says(page, 'device was lost');
    expect(await page.$eval('.status', (e) => e.classList.contains('wrong'))).toBe(true);
    await press(page, 'Measure');
    await says(page, '^Done: 1 kernel,');
  });

  it('explains missing WebGPU', async () => {
    const before = () => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
    lab = await open('lab.html', { before });
    await lab.page.waitForSelector('#webgpu-problem h2');
    expect(await text(lab.page, '#webgpu-problem')).toMatch(/not support WebGPU[\s\S]*how to enable WebGPU/);
    expect(await lab.page.$eval('#lab', (e) => (e as HTMLElement).hidden)).toBe(true);
    expect(await axeViolations(lab.page)).toEqual([]);
  });
});
