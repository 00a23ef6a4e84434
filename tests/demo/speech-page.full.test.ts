// The page of speech on SwiftShader: a fake microphone, the clips and the model of the page, learning from recordings.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSpeechFile } from '../../src/features/speech/audio/speech-samples.ts';
import { writeWav } from '../../src/features/speech/audio/wav.ts';
import { wordErrorRate } from '../../src/features/speech/word-errors.ts';
import { unzip } from '../../src/files/zip.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { type DemoPage, demo, downloadOf, pickFiles } from '../support/demo.ts';
import { lookAt, textOf, untilMatches } from '../support/looks.ts';
import { testLimit, waitLimit } from '../support/time-limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-speech-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * What the fake microphone plays once, each time it opens: a second of silence, in which the page begins to listen,
 * then the first clip of the page.
 */
const clip = join(folder, 'microphone.wav');
const samples = readSpeechFile(readFileSync('demo/speech/clips/listen-1.wav'), 'clip');
const delayed = new Float32Array(samples.length + 16_000);
delayed.set(samples, 16_000);
writeFileSync(clip, writeWav(delayed, 16_000));
const spoken = 'turn on the heater in the office';
const { open } = demo(undefined, () =>
  launchChrome({
    gpu: 'swiftshader',
    args: [
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${clip}%noloop`,
    ],
  }),
);
let shown: DemoPage;
let page: Page;

beforeAll(async () => {
  shown = await open('speech.html');
  page = shown.page;
});
afterAll(() => {
  expect(shown.errors).toEqual([]);
});

const waitFor = (pattern: RegExp, selector: string, timeout = waitLimit) =>
  untilMatches(page, selector, pattern, timeout);
const text = (selector: string) => textOf(page, selector);
const look = (name: string) => lookAt(shown, `speech-${name}`);

it('writes down a clip, with times and attention', async () => {
  await page.waitForSelector('#clip-2');
  await look('start');
  await page.locator('#clip-2').click();
  await waitFor(/text after/, '#heard-facts');
  expect(await text('#heard')).toBe('wednesday march twenty second');
  expect(await text('#segments')).toMatch(/^0\.00 – 2\.\d\d s wednesday march twenty second$/);
  const [spectrum, attention] = await page.$$eval('.sound-view canvas', (all) =>
    all.map(
      (canvas) => new Set(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data).size,
    ),
  );
  expect(spectrum).toBeGreaterThan(50);
  expect(attention).toBeGreaterThan(50);
  await page.locator('.sound-view summary').click();
  expect(await page.$$eval('.peaks li b', (all) => all.map((e) => e.textContent))).toContain('twenty');
  await look('heard');
});

it('hears the microphone while the button is held, and shows words as they come', async () => {
  await page.evaluate(() => {
    const texts: string[] = [];
    Object.assign(window, { texts });
    new MutationObserver(() =>
      texts.push(document.querySelector('#heard')?.textContent?.trim() ?? ''),
    ).observe(document.querySelector('#listen') as Element, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await page.focus('#speak');
  await page.keyboard.down('Space');
  await waitFor(/Listening/, '#speak');
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const early = await page.evaluate(() => (window as unknown as { texts: string[] }).texts.filter(Boolean));
  await page.keyboard.up('Space');
  await waitFor(/text after/, '#heard-facts');
  expect(early.length).toBeGreaterThan(0);
  expect(await text('#heard')).toBe(spoken);
  await shown.screenshot('speech-microphone');
});

it('marks the words that it is not sure of', async () => {
  // The other voice: "the thirtieth of september" and nine more, of which the model hears most wrong.
  const doubts: number[] = [];
  for (const n of [2, 4, 6]) {
    await pickFiles(page, '#pick-sound', `demo/speech/clips/teach-${n}.wav`);
    await waitFor(/The model listens/, '#listen-status');
    await waitFor(/^$/, '#listen-status');
    doubts.push(await page.$$eval('#heard .doubt', (all) => all.length));
  }
  expect(Math.max(...doubts)).toBeGreaterThan(0);
  expect(await text('#heard-doubts')).toMatch(/not sure/);
});

it('records sentences, keeps them, and deletes one', async () => {
  await page.$eval('#sentence', (e) => {
    (e as HTMLInputElement).value = 'turn on the heater';
    e.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.focus('#record');
  await page.keyboard.down('Space');
  await waitFor(/Listening/, '#record');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await page.keyboard.up('Space');
  await waitFor(/1 of 10/, '#recordings-count');
  await page.locator('#take-clips').click();
  await waitFor(/11 of 10/, '#recordings-count');
  await page.reload();
  await waitFor(/11 of 10/, '#recordings-count');
  await page.locator('[aria-label="Delete “turn on the heater”"]').click();
  await waitFor(/10 of 10/, '#recordings-count');
});

it('exports the recordings with their TSV', async () => {
  const files = await unzip(await downloadOf(page, '#export'), 'recordings.zip');
  const lines = new TextDecoder().decode(files['clips.tsv']).trim().split('\n');
  expect(lines).toHaveLength(10);
  for (const line of lines) expect(files[line.split('\t')[0] ?? '']?.length).toBeGreaterThan(10_000);
});

it('learns from them, with the word error rate before and after, and keeps what it learned', async () => {
  await page.locator('#learn').click();
  await page.waitForSelector('#taught', { timeout: testLimit });
  const rates = await page.$$eval('#taught td', (cells) =>
    cells.map((cell) => Number.parseFloat(cell.textContent ?? '')),
  );
  expect(rates).toHaveLength(4);
  const [before = 0, after = 1] = rates;
  expect(before).toBeGreaterThan(5);
  expect(after).toBeLessThan(before / 2);
  await look('taught');
  await page.reload();
  await page.waitForSelector('#clip-1');
  await page.locator('#clip-1').click();
  await waitFor(/text after/, '#heard-facts');
  // The recordings are of another voice: at most one of the seven words of this one is heard wrong now.
  expect(wordErrorRate([await text('#heard')], [spoken]).rate).toBeLessThan(0.15);
  expect(await text('#model')).toContain('It uses what it learned');
  await page.locator('#forget').click();
  await page.waitForFunction(() => !document.querySelector('#forget'));
});

it('is in the built pages', () => {
  const file = join(import.meta.dirname, '../../dist/demo/speech.html');
  expect(existsSync(file)).toBe(true);
  expect(readFileSync(file, 'utf8')).toContain('Content-Security-Policy');
});
