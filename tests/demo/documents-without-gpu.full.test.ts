// The page of documents in a browser without WebGPU: it translates in WebAssembly.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { launchChrome } from '../../src/host/chrome.ts';
import { demo, startProject } from '../support/demo.ts';

const { open } = demo(undefined, () =>
  launchChrome({ args: ['--disable-gpu', '--disable-software-rasterizer'] }),
);
const folder = mkdtempSync(join(tmpdir(), 'heddle-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('translates a document and says how', async () => {
  writeFileSync(join(folder, 'guide.txt'), 'The table is 4 metres long.\n\nTuesday, 5 May.\n');
  const { page, requests, errors } = await open('documents.html');
  await page.waitForSelector('#pick-document');
  expect(await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) ?? null)).toBe(null);
  expect(await page.$eval('#webgpu-problem', (e) => e.textContent)).toContain('in WebAssembly');
  expect(requests.filter((url) => /\/ort[.-]/.test(url))).toEqual([]);
  await startProject(page, join(folder, 'guide.txt'));
  await page.waitForFunction(() =>
    /2 translated/.test(document.querySelector('#documents-count')?.textContent ?? ''),
  );
  expect(requests.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
  expect(errors).toEqual([]);
});
