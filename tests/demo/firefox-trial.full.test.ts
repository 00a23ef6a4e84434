// "Try it as Firefox would": the page writes the int8 files of a model and translates with them in Firefox's own
// engine, whose wasm loads on demand.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadModel } from '../../src/entries/heddle.node.ts';
import { bergamotEngine, bergamotLines } from '../support/bergamot.ts';
import { scratch } from '../support/cli.ts';
import { demo, pickFiles, untilText, withoutModels } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const { open } = demo(withoutModels);
const golden = '../shared/golden-marian/ssru-int8';
const engine = join(distFile('demo/index.html'), '../firefox/bergamot-translator-worker.wasm');

it.skipIf(![golden, engine, bergamotEngine ?? ''].every((path) => existsSync(path)))(
  "translates in Firefox's engine as heddle does (needs ../shared and the engine in dist/demo/firefox)",
  async () => {
    const { page, requests, errors } = await open('train.html');
    const names = readdirSync(golden).filter((name) => /^(?:model\.bin|decoder\.yml|vocab\.spm)$/.test(name));
    await pickFiles(page, '#import-model', ...names.map((name) => join(golden, name)));
    await untilText(page, '#models-message', '3 files were imported as model');
    const used = () => requests.filter((url) => url.includes('/firefox/'));
    expect(used()).toEqual([]); // loaded on demand
    const button = await page.waitForSelector('[data-model] button[aria-label^="Try it as Firefox would"]');
    await button?.evaluate((e) => (e as HTMLButtonElement).click());
    await page.waitForSelector('#firefox-text');
    await page.locator('#firefox-text').fill('12 5 7 30');
    await page.keyboard.press('Enter');
    await untilText(page, '#firefox-status', 'translations');
    const texts = await page.$$eval('#firefox-results dd', (all) =>
      all.map((e) => e.textContent?.trim() ?? ''),
    );
    expect(texts[0]).toMatch(/^\d+/);
    expect(
      await page.$$eval('#firefox-results dt', (all) => all.map((e) => e.textContent?.split(',')[0])),
    ).toEqual(["Firefox's engine", 'heddle']);
    expect(used().length).toBeGreaterThan(0);
    const model = await loadModel(golden, { device: 'cpu' });
    expect(texts[1]).toBe((await model.translate(['12 5 7 30']))[0]);
    model.dispose();
    // The engine in Node, with the int8 file of the reference.
    writeFileSync(join(scratch(), 'text.txt'), '12 5 7 30\n');
    const vocab = join(golden, 'vocab.spm');
    const files = [join(golden, 'model.intgemm8.bin'), vocab, vocab, join(scratch(), 'text.txt')] as const;
    expect([texts[0]]).toEqual(bergamotLines(files, { precision: 'int8shiftAll' }));
    expect(errors).toEqual([]);
    expect(readFileSync(engine).length).toBeGreaterThan(1e6);
  },
);
