// The built pages in Firefox, end to end: train on a file, pause, reload, resume, translate with its heat
// map, export; measure and check conformance in the lab.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer';
import { afterAll, expect, it, vi } from 'vitest';
import type { CheckedConformance, LabResults } from '../../demo/lab/lab-protocol.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { launchFirefox } from '../../src/host/firefox.ts';
import type { RequestHandler } from '../../src/host/static-server.ts';
import { demo, fillSmallTraining, openDetails, pickFiles } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';
import { waitLimit } from '../support/time-limits.ts';
import { tinyCorpus } from '../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-firefox-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const downloads = { 'browser.download.folderList': 2, 'browser.download.dir': folder };
/** An isolated page of Firefox embeds the frame of programs only with this header; see vite.config.ts. */
const frame: RequestHandler = async (request, response) => {
  if (request.url !== '/code-frame.html') return false;
  const headers = {
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
  response.end(readFileSync(distFile('demo/code-frame.html')));
  return true;
};
const { open } = demo(frame, () => launchFirefox({ preferences: downloads }));

/** Long enough for a software adapter on a busy machine. */
const patient = { timeout: waitLimit, interval: 100 } as const;
const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate((s) => document.querySelector(s)?.textContent ?? '', selector);
/**
 * Waits until the text of an element matches a pattern; asks from outside, since the policy of the page
 * forbids eval.
 */
const says = (page: Page, selector: string, pattern: RegExp) =>
  vi.waitFor(async () => expect(await text(page, selector)).toMatch(pattern), patient);
/**
 * The visible, enabled control with a label: that of a field, or the name of a button. Looked up in the page,
 * since Firefox answers queries of the accessibility tree in seconds.
 */
const control = (page: Page, name: string): Promise<ElementHandle<HTMLInputElement>> =>
  vi.waitFor(async () => {
    const found = await page.evaluateHandle((wanted) => {
      const named = [...document.querySelectorAll<HTMLElement>('label, button')].filter(
        (e) => (e.getAttribute('aria-label') ?? e.textContent ?? '').trim() === wanted,
      );
      return named
        .map((e) => (e instanceof HTMLLabelElement ? e.control : e))
        .find((e) => e && e.getClientRects().length > 0 && !e.matches(':disabled'));
    }, name);
    const element = found.asElement();
    expect(element, `an enabled control ${name}`).not.toBeNull();
    return element as ElementHandle<HTMLInputElement>;
  }, patient);
const press = async (page: Page, name: string) => (await control(page, name)).click();
const choose = async (page: Page, name: string, value: string) => {
  await (await control(page, name)).select(value);
};
const fill = async (page: Page, name: string, value: string) => {
  const field = await control(page, name);
  await field.focus();
  await field.evaluate((e) => e.select());
  await page.keyboard.type(value);
};

it('trains on a file, resumes after a reload, translates, and exports the model', async () => {
  const { page, errors } = await open('train.html?tune=0');
  writeFileSync(join(folder, 'words.tsv'), tinyCorpus);
  await press(page, 'File');
  await pickFiles(page, '#corpus input[type="file"]', join(folder, 'words.tsv'));
  await says(page, '#corpus', /words\.tsv/);
  await fillSmallTraining(page, { steps: 100, evaluateEvery: 20 }, { choose, fill });
  await says(page, '#corpus-summary', /pairs\s*96/);
  await says(page, '#plan-summary', /parameters\s*[\d,]{6,}/);

  await vi.waitFor(async () => expect(await page.$('#start:not([disabled])')).not.toBeNull(), patient);
  await page.click('#start');
  await says(page, '#run', /step [1-9]\d* of 100/);
  await press(page, 'Pause');
  await says(page, '.state', /Paused/);

  await page.reload();
  await says(page, '#notices', /The training of words stopped at step \d+ of 100/);
  await press(page, 'Resume training');
  await says(page, '#run', /step 100 of 100/);
  await says(page, '.state', /Done/);
  await vi.waitFor(async () => expect(await page.$$('.samples tbody tr')).toHaveLength(4), patient);
  expect(Number(await text(page, '#now-loss'))).toBeGreaterThan(0);

  await fill(page, 'Text', 'one two');
  await press(page, 'Translate');
  await says(page, '#translate-box [role="status"]', /\d+ tokens in .* · words, step 100/);
  await vi.waitFor(async () => expect(await page.$$('.heat-cells')).not.toHaveLength(0), patient);
  expect(await page.$$eval('.heat text', (labels) => labels.map((l) => l.textContent))).toEqual(
    expect.arrayContaining(['one', 'two']),
  );

  await press(page, 'Download words as safetensors, without its checkpoint');
  const file = join(folder, 'words.safetensors');
  // Firefox first makes an empty file with the name, then writes FILE.part and renames it.
  const written = () => existsSync(file) && statSync(file).size > 0 && !existsSync(`${file}.part`);
  await vi.waitFor(() => expect(written()).toBe(true), patient);
  expect(Object.keys(readSafetensors(readFileSync(file))).some((name) => name.includes('self_attn'))).toBe(
    true,
  );
  expect(errors).toEqual([]);
  await page.close();
});

it('measures kernels and checks conformance in the lab', async () => {
  const { page, errors } = await open('lab.html');
  await openDetails(page, '#controls details');
  await fill(page, 'Filter by name', 'softmax');
  await press(page, 'Measure');
  await says(page, '.status', /^Done: 1 kernel, all correct/);
  expect(await text(page, '#conformance')).toContain('maxComputeWorkgroupStorageSize16 Ki');
  const measured = JSON.parse(await text(page, '#results .json')) as LabResults;
  expect(measured.machine.adapter).toMatchObject({ host: 'Firefox' });
  expect(measured.conformance?.passed).toBe(true);

  await press(page, 'Check conformance');
  await vi.waitFor(
    async () =>
      expect(await text(page, '.status')).toMatch(/^Done: this engine passes|device was lost|wrong/),
    { ...patient, timeout: 400_000 },
  );
  const report = await text(page, '#conformance');
  expect(report).toMatch(/EngineFirefox \d/);
  expect(report).toMatch(/20 training stepslosses within \S+ of the stored ones passes/);
  expect(report).toMatch(/Readback[\d.]+ (ms|µs)Dispatch[\d.]+ µs/);
  expect(report).toContain('1 of 1 recovered with the same losses passes');
  const checked = JSON.parse(await text(page, '#conformance .json')) as CheckedConformance;
  expect(checked).toMatchObject({
    passed: true,
    engine: { name: 'Firefox' },
    recovery: { lost: 1, recovered: 1 },
  });
  for (const { name, variants } of checked.kernels) {
    expect(variants.length, name).toBeGreaterThan(0);
    for (const { error, variant } of variants) expect(error, `${name} ${variant}`).toBeLessThan(1e-4);
  }
  expect(errors).toEqual([]);
  await page.close();
}, 900_000);

it('runs programs of the page Code on the GPU, with the lines of their errors', async () => {
  const { page, errors } = await open('code.html#a-graph-on-the-gpu');
  await press(page, 'Run');
  await says(page, '#program .status', /^Finished/);
  expect(await text(page, '#output')).toContain('Float32Array(6) [0.7869');
  await page.evaluate(() => {
    const area = document.querySelector<HTMLTextAreaElement>('#program textarea');
    if (area) area.value = 'const a = 1;\nconst b = ;\n';
  });
  await press(page, 'Run');
  await says(page, '.line-messages', /^line 2 SyntaxError: /);
  expect(errors).toEqual([]);
  await page.close();
});
