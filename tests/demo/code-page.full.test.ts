// Every example of the page Code runs as it stands; the training of the README with fewer steps.
import type { Page } from 'puppeteer';
import { expect, it } from 'vitest';
import { demo } from '../support/demo.ts';
import { testLimit } from '../support/time-limits.ts';

const { open } = demo();

const expected: Readonly<Record<string, RegExp>> = {
  'train-a-translator': /^1 [\d.]+\n2 [\d.]+\n3 [\d.]+\n/,
  'translate-with-a-model-of-this-page': /^Te quiero\.\n/,
  'look-at-the-attention': /^2 layers, \d heads, \d+ source tokens\n\S+ +<- \S+/,
  'train-to-reverse-words': /\n300 [\d.]+\n/,
  'a-graph-on-the-gpu': /Float32Array\(6\)/,
  'a-custom-op': /The gradient is right\./,
  'metrics-of-translations': /score: 94\.57/,
};

const textOf = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');

it.each(Object.entries(expected))(
  '%s',
  async (id, output) => {
    const { page } = await open(`code.html#${id}`);
    await page.waitForSelector('#program textarea');
    await page.$eval('#program textarea', (area) => {
      area.value = area.value.replace('20_000', '300').replace('steps: 800', 'steps: 3');
      area.dispatchEvent(new Event('input'));
    });
    await page.locator('::-p-aria([name="Run"][role="button"])').click();
    await page.waitForFunction(
      () => /^(Finished|Failed)/.test(document.querySelector('#program .status')?.textContent ?? ''),
      {
        timeout: testLimit,
      },
    );
    expect(await textOf(page, '.line-messages')).toBe('');
    expect(await textOf(page, '#output')).toMatch(output);
    if (id === 'train-a-translator') expect(await textOf(page, '.saved')).toContain('out/model.safetensors');
    await page.close();
  },
  600_000,
);
