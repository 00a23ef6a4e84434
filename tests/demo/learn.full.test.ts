// The chapters with a model of Marian's files, whose decoder has SSRUs: gates in place of self-attention.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle } from 'puppeteer';
import { afterAll, expect, it } from 'vitest';
import { chapters } from '../../demo/learn/chapters.ts';
import { zipParts } from '../../src/files/zip.ts';
import { loadModel } from '../../src/index.node.ts';
import { demo, untilText } from '../support/demo.ts';

const { open } = demo();
const golden = '../shared/golden-marian/ssru-tied';
const files = ['model.npz', 'decoder.yml', 'vocab.spm'];
const scratch = mkdtempSync(join(tmpdir(), 'heddle-learn-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it.skipIf(!existsSync(golden))('shows the gates of an SSRU over time (needs ../shared)', async () => {
  const names = readdirSync(golden).filter((name) => files.includes(name));
  const entries = Object.fromEntries(
    names.map((name) => [name, new Uint8Array(readFileSync(join(golden, name)))]),
  );
  const archive = join(scratch, 'marian.zip');
  writeFileSync(archive, Buffer.concat(zipParts(entries)));
  const { page, errors } = await open('index.html');
  const bring = (await page.waitForSelector('#import-model')) as ElementHandle<HTMLInputElement>;
  await bring.uploadFile(archive);
  await untilText(page, '#models-message', 'marian\\.zip was imported as marian');
  const learn = await open('learn.html');
  await untilText(learn.page, '#sentence-status', 'source tokens|rror|cannot|not found');
  await learn.page.select('#sentence-model', 'marian');
  await learn.page.locator('#sentence-text').fill('12 5 7');
  await untilText(learn.page, '#sentence-status', 'source tokens');
  await learn.page.locator('#sentence button').click();
  await untilText(learn.page, '#sentence-status', '4 source tokens');
  const model = await loadModel(golden, { device: 'cpu' });
  const { gates, target } = await model.inspect('12 5 7');
  const last = gates.at(-1);
  for (const { id, title } of chapters) {
    await learn.page.evaluate((hash) => {
      location.hash = hash;
    }, id);
    await learn.page.waitForFunction(
      (t) => document.querySelector('#chapter-title')?.textContent === t,
      {},
      title,
    );
    expect(await learn.page.$('#chapter [data-picture], #chapter .tokens'), id).not.toBeNull();
    if (id !== 'softmax') continue;
    expect(await learn.page.$eval('#chapter', (e) => e.textContent)).toContain('SSRU');
    const cells = await learn.page.$$eval('#chapter table tbody tr', (rows) =>
      rows.map((row) => [row.children[0]?.textContent?.trim(), row.children[1]?.textContent]),
    );
    expect(cells).toHaveLength(target.length);
    for (const [t, [label, mean]] of cells.entries()) {
      expect(label).toBe(target[t]?.label);
      const own = last?.gates.slice(t * last.channels, (t + 1) * last.channels) ?? new Float32Array();
      expect(Number.parseFloat(mean ?? '')).toBeCloseTo(
        (100 * own.reduce((a, b) => a + b, 0)) / own.length,
        0,
      );
    }
  }
  model.dispose();
  expect([...errors, ...learn.errors]).toEqual([]);
});
