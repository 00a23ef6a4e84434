// Writes a translation memory of any size, and measures commands and the page of documents with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ElementHandle } from 'puppeteer-core';
import { launchChrome } from '../../src/host/chrome.ts';
import { serveFolder } from '../../src/host/static-server.ts';

const root = resolve(import.meta.dirname, '../../..');
const cli = join(root, 'dist/cli.js');
const model = join(root, 'demo/models/en-es.safetensors');
/** Milliseconds between two looks at the memory of a process. */
const interval = 250;

/** A number of bytes: `1G`, `200M`. */
const bytesOf = (text: string): number =>
  Number.parseFloat(text) * ({ K: 1e3, M: 1e6, G: 1e9 }[text.slice(-1).toUpperCase()] ?? 1);

/** The most memory that a process had, in bytes; 0 if it has ended. Linux only. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kib] = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return 1024 * Number(kib ?? 0);
  } catch {
    return 0;
  }
}

/** Writes a memory of about `size` bytes; all its units differ. Returns the number of units. */
async function writeMemory(path: string, size: number): Promise<number> {
  const words = [
    'the',
    'old',
    'new',
    'small',
    'large',
    'house',
    'garden',
    'river',
    'street',
    'table',
    'window',
    'green',
    'yellow',
    'meeting',
    'report',
    'page',
  ];
  const out = createWriteStream(path);
  const write = async (text: string) => {
    if (!out.write(text)) await once(out, 'drain');
  };
  await write(
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header creationtool="bench" creationtoolversion="1" ' +
      'segtype="sentence" o-tmf="bench" adminlang="en" srclang="en" datatype="plaintext"/><body>\n',
  );
  let units = 0;
  for (let written = 0; written < size; units++) {
    const text = Array.from(
      { length: 6 + (units % 7) },
      (_, i) => words[(units * (i + 3) + i) % words.length],
    ).join(' ');
    const unit =
      `<tu creationdate="20260101T000000Z"><tuv xml:lang="en"><seg>${text} <ph x="1">{1}</ph> ${units}</seg></tuv>` +
      `<tuv xml:lang="es"><seg>${text.toUpperCase()} <ph x="1">{1}</ph> número ${units}</seg></tuv></tu>\n`;
    await write(unit);
    written += unit.length;
  }
  await write('</body></tmx>\n');
  out.end();
  await once(out, 'finish');
  return units;
}

const show = (name: string, seconds: number, peak: number, more = ''): void =>
  console.log(
    `${name.padEnd(34)} ${seconds.toFixed(0).padStart(5)} s  ${(peak / 1e6).toFixed(0).padStart(6)} MB at most${more}`,
  );

/** Runs a command of heddle and shows its time and memory. */
async function measureCommand(name: string, args: readonly string[]): Promise<void> {
  const begin = performance.now();
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
  }, interval);
  const [status] = await once(child, 'exit');
  clearInterval(timer);
  show(name, (performance.now() - begin) / 1000, peak, status === 0 ? '' : `, status ${status}`);
}

/** Opens a document with a memory in the page, then reloads it. */
async function measurePage(document: string, memory: string): Promise<void> {
  const server = await serveFolder(join(root, 'dist/demo'), 0);
  const chrome = await launchChrome({ gpu: 'swiftshader' });
  const session = await chrome.browser.target().createCDPSession();
  let peak = 0;
  const look = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    for (const { id, type } of processInfo) if (type === 'renderer') peak = Math.max(peak, peakOf(id));
  };
  const timer = setInterval(() => void look().catch(() => undefined), interval);
  try {
    const page = await chrome.browser.newPage();
    const done = () =>
      page.waitForFunction(
        () => /translated/.test(globalThis.document.querySelector('#documents-count')?.textContent ?? ''),
        { timeout: 3_600_000, polling: 500 },
      );
    await page.goto(`${server.url}documents.html`);
    await page.waitForSelector('#pick-document');
    for (const [id, path] of [
      ['#pick-document', document],
      ['#pick-memory', memory],
    ] as const)
      await ((await page.$(id)) as ElementHandle<HTMLInputElement>).uploadFile(path);
    await page.select('#documents-model', 'Dates → Spanish');
    let begin = performance.now();
    await page.locator('#start button[type=submit]').click();
    const progress = setInterval(
      () =>
        void page
          .$eval('#start-status', (e) => e.textContent ?? '')
          .then((text) => process.stderr.write(`\r${text.padEnd(70)}`))
          .catch(() => undefined),
      2000,
    );
    await done();
    clearInterval(progress);
    process.stderr.write('\r');
    show('page, drop the memory', (performance.now() - begin) / 1000, peak);
    begin = performance.now();
    await page.reload();
    await done();
    show('page, reload', (performance.now() - begin) / 1000, peak);
  } finally {
    clearInterval(timer);
    await chrome.close();
    await server.close();
  }
}

/** Runs the measurement. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: '1G' },
      folder: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'heddle-memory-'));
  mkdirSync(folder, { recursive: true });
  const [memory, text] = [join(folder, 'memory.tmx'), join(folder, 'text.txt')];
  writeFileSync(text, 'Tuesday, March 4, 2025\n\nthe old new small house 17\n');
  if (!existsSync(memory)) console.log(`${await writeMemory(memory, bytesOf(values.size))} units`);
  console.log(`a TMX of ${(statSync(memory).size / 1e6).toFixed(0)} MB`);
  const document = ['translate', model, text, '--out', join(folder, 'out.txt'), '--force', '--no-tune'];
  const tiny = ['dModel=16', 'heads=2', 'feedForward=24', 'encoderLayers=1', 'decoderLayers=1'];
  const training = [
    ...['train', memory, '--out', join(folder, 'model'), '--no-tune', '--steps', '2', '--batch-size', '8'],
    ...['--vocab-size', '300', '--buckets', '1', '--test-sentences', '0', '--set', 'maxLength=40'],
    ...tiny.flatMap((value) => ['--set', value]),
  ];
  const isAsked = (name: string) => values.only === undefined || values.only === name;
  if (isAsked('translate'))
    await measureCommand('heddle translate --memory', [...document, '--memory', memory]);
  if (isAsked('train')) await measureCommand('heddle train, 2 steps', training);
  if (isAsked('page')) await measurePage(text, memory);
  if (values.folder === undefined) rmSync(folder, { recursive: true });
  return 0;
}
