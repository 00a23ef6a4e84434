// The chapters with a model of Marian's files, whose decoder has SSRUs: gates in place of self-attention.
// And what takes long: other models of the page, and the programs that a visitor takes away.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { chapters } from '../../demo/learn/chapters.ts';
import { firstSentence } from '../../demo/learn/lesson.ts';
import { loadModel } from '../../src/entries/heddle.node.ts';
import { unzip, zipParts } from '../../src/files/zip.ts';
import { demo, pickFiles, showFigure, untilText } from '../support/demo.ts';

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
  const { page, errors } = await open('train.html');
  await pickFiles(page, '#import-model', archive);
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
    await showFigure(learn.page);
    expect(await learn.page.$('#chapter :is([data-picture], .tokens, .scalpel)'), id).not.toBeNull();
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

it('opens a model file of the visitor, for the scalpel too', async () => {
  const file = join(import.meta.dirname, '../../demo/models/en-ja.safetensors');
  const text = 'Tuesday, March 4, 2025';
  const { page, errors } = await open(`learn.html?text=${encodeURIComponent(text)}#inside`);
  await untilText(page, '#scalpel-now', '2025');
  await pickFiles(page, '#own-model', file);
  const model = await loadModel(file, { device: 'cpu' });
  await untilText(page, '#scalpel-now', await model.translate(text));
  model.dispose();
  expect(await page.$eval('#sentence-model', (e) => (e as HTMLSelectElement).value)).toBe('en-ja');
  expect(errors).toEqual([]);
});

it('begins with doubt, has earlier steps of the model and one scale for strips, and is taken away as code', async () => {
  const { page, errors, view, screenshot } = await open('learn.html#decoding');
  await untilText(page, '#sentence-status', 'source tokens');
  expect(await page.$eval('#sentence-text', (e) => (e as HTMLInputElement).value)).toBe(firstSentence);
  const hesitates = () =>
    page.$$eval('.choices', (all) =>
      all.map((e) => Number.parseFloat(e.querySelector('.number')?.textContent ?? '')),
    );
  expect(Math.min(...(await hesitates()))).toBeLessThan(70);
  // The same sentence after 50 steps: the model knows little.
  await page.select('#sentence-model', 'Dates → Spanish, after 50 of 800 steps');
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector('.choices .number')?.textContent ?? '') < 60,
  );
  expect(await page.$eval('#sentence-text', (e) => (e as HTMLInputElement).value)).toBe(firstSentence);
  await page.select('#sentence-model', 'Dates → Spanish, after 200 of 800 steps');
  await untilText(page, '#sentence-status', 'Computing|Loading');
  await untilText(page, '#sentence-status', 'source tokens');
  await page.evaluate(() => {
    location.hash = 'residual';
  });
  await page.waitForSelector('#guess-skip');
  await showFigure(page);
  await page.waitForSelector('#one-scale');
  const heights = () =>
    page.$$eval('#chapter .strip', (all) =>
      all.map((e) =>
        Math.max(...[...e.querySelectorAll('rect')].map((r) => Number(r.getAttribute('height')))),
      ),
    );
  const shared = await heights();
  expect(shared.filter((height) => height > 9.9)).toHaveLength(1);
  for (const width of [1440, 390])
    for (const theme of ['light', 'dark'] as const) {
      await view({ width, height: 900, theme });
      await screenshot(`learn-residual-${width}-${theme}`);
    }
  await view();
  await page.locator('#one-scale').click();
  await page.waitForFunction(() => !(document.querySelector('#one-scale') as HTMLInputElement).checked);
  expect((await heights()).filter((height) => height < 9.9)).toEqual([]);

  await page.evaluate(() => {
    URL.createObjectURL = (blob) => {
      void (blob as Blob).arrayBuffer().then((bytes) => {
        const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
        Object.assign(window, { taken: btoa(text) });
      });
      return 'blob:none';
    };
    HTMLAnchorElement.prototype.click = () => {};
  });
  await page.locator('#take-away').click();
  await page.waitForFunction('window.taken');
  const files = await unzip(
    new Uint8Array(Buffer.from((await page.evaluate('taken')) as string, 'base64')),
    'taken',
  );
  const names = Object.keys(files);
  expect(names).toEqual(expect.arrayContaining(['program.js', 'program.py', 'transformer.py', 'README.md']));
  expect(names).toContain('model/model.safetensors');
  const [pair] = JSON.parse(new TextDecoder().decode(files['pairs.json']));
  expect(pair.source).toBe(firstSentence);
  expect(new TextDecoder().decode(files['program.js'])).toContain('"learningRate": 0.0005');
  await untilText(page, '#lesson-note', 'both print the same loss');
  expect(errors).toEqual([]);
});
