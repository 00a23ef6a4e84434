// The two programs that a page gives away: both run, heddle's in Node and in a page, and their losses agree, before
// and after updates. Without Debian's python3-torch only heddle's runs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type TrainSettings } from '../../../../src/entries/heddle.node.ts';
import { takeAway } from '../../../../src/features/pytorch/take-away/model-programs.ts';
import { launchChrome } from '../../../../src/host/chrome.ts';
import { distFile } from '../../../support/dist.ts';
import { hasTorch, python } from '../../../support/python.ts';

const root = resolve(import.meta.dirname, '../../../..');
const scratch = mkdtempSync(join(tmpdir(), 'heddle-take-away-'));
afterAll(() => rmSync(scratch, { recursive: true }));
/** As in the archive of a page: the programs have the library. */
let library = new Uint8Array();
beforeAll(() => {
  library = readFileSync(distFile('heddle.bundle.js'));
});

const pairs = [
  { source: 'Tuesday, March 4, 2025', target: 'martes, 4 de marzo de 2025' },
  { source: 'Canada, Kenya, and Peru', target: 'Canadá, Kenia y Perú' },
  { source: '12 days', target: '15 días' },
];
const cases: Record<string, TrainSettings> = {
  'en-es': { optimizer: 'adamw', learningRate: 3e-3, schedule: 'linear', steps: 800, weightDecay: 0.1 },
  'en-es-learned': { optimizer: 'sgd', learningRate: 0.1, schedule: 'constant', labelSmoothing: 0.1 },
};

/** Writes the programs for a model of the page. */
async function write(name: string): Promise<string> {
  const folder = join(scratch, name);
  using model = await loadModel(join(root, `demo/models/${name}.safetensors`), { device: 'cpu' });
  for (const [path, bytes] of Object.entries(
    await takeAway(model, name, pairs, cases[name] ?? {}, library),
  )) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  // What `npm install` does.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync('../heddle', join(folder, 'node_modules/heddle'));
  symlinkSync(join(root, 'node_modules/webgpu'), join(folder, 'node_modules/webgpu'));
  return folder;
}

/** The losses that a program prints, that of the pairs first. */
function losses(folder: string, program: string, script: string): number[] {
  const { status, stdout, stderr } = spawnSync(program, [script], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return lossesIn(stdout);
}
const lossesIn = (text: string): number[] =>
  [...text.matchAll(/loss (\d+\.\d{6})/g)].map(([, loss]) => Number(loss));

describe.each(Object.keys(cases))('%s', (name) => {
  let folder = '';
  let ofHeddle: number[] = [];
  beforeAll(async () => {
    folder = await write(name);
    ofHeddle = losses(folder, process.execPath, 'program.js');
  });

  it('the program of heddle computes the loss and learns', () => {
    expect(ofHeddle).toHaveLength(11);
    expect(ofHeddle.at(-1)).toBeLessThan(ofHeddle[1] as number);
  });

  it('the same program has the same losses in a page, on another adapter', async () => {
    const server = spawn(process.execPath, ['serve.js'], { cwd: folder, env: { ...process.env, PORT: '0' } });
    const [address] = await once(server.stdout, 'data');
    const chrome = await launchChrome({ gpu: 'swiftshader' });
    try {
      const page = await chrome.openPage(String(address).trim());
      await page.waitForFunction(() => /update 10: loss/.test(document.body.textContent ?? ''), {
        timeout: 120_000,
      });
      const text = await page.evaluate(() => document.body.textContent ?? '');
      for (const [i, loss] of lossesIn(text).entries())
        expect(Math.abs(loss - (ofHeddle[i] as number)), `loss ${i}`).toBeLessThan(i < 2 ? 2e-5 : 2e-3);
    } finally {
      server.kill();
      await chrome.close();
    }
  });

  it.runIf(hasTorch)('the program of PyTorch has the same losses (needs python3-torch)', () => {
    const ofTorch = losses(folder, python, 'program.py');
    console.log(name, ofHeddle.join(' '), '|', ofTorch.join(' '));
    expect(ofTorch).toHaveLength(11);
    for (const [i, loss] of ofTorch.entries())
      expect(Math.abs(loss - (ofHeddle[i] as number)), `loss ${i}`).toBeLessThan(i < 2 ? 2e-5 : 2e-3);
  });
});
