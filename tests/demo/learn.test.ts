// The chapters with a real model on SwiftShader: an address each, short, their numbers those of the CPU
// executor, and accessible.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chapters } from '../../demo/learn/chapters.ts';
import { fromFloat16 } from '../../src/core/float16.ts';
import { loadModel } from '../../src/entries/heddle.node.ts';
import type { Inspection } from '../../src/entries/reports.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { axeViolations } from '../support/axe.ts';
import { type DemoPage, demo, showFigure } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';

const { open } = demo();
let shown: DemoPage;
let page: Page;
let reference: Inspection;
/** At temperature 3. */
let warm: Inspection;

beforeAll(async () => {
  const file = join(dirname(import.meta.dirname), '../demo/models/en-es.safetensors');
  const model = await loadModel(file, { device: 'cpu' });
  const ids = model.tokenizers.target.encode('martes, 4 de marzo de 2025');
  reference = await model.inspect('Tuesday, March 4, 2025', { target: ids, tensors: true });
  warm = await model.inspect('Tuesday, March 4, 2025', { target: ids, temperature: 3 });
  shown = await open('learn.html?text=Tuesday%2C+March+4%2C+2025');
  page = shown.page;
  await page.waitForFunction(() =>
    /source tokens/.test(document.querySelector('#sentence-status')?.textContent ?? ''),
  );
});
afterAll(() => expect(shown.errors).toEqual([]));

async function chapter(id: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, id);
  const title = chapters.find((each) => each.id === id)?.title;
  await page.waitForFunction((t) => document.querySelector('#chapter-title')?.textContent === t, {}, title);
  await showFigure(page);
}
const cells = (column: number) =>
  page.$$eval(
    '#chapter table tbody tr',
    (rows, n) => rows.map((row) => row.children[n]?.textContent ?? ''),
    column,
  );
const number = (text: string) => Number(text.replace('−', '-').replace(/[^\d.-]/g, ''));

it('has a question of at most 40 words before the figure, and at most 150 words after it', () => {
  for (const { title, question, text } of chapters) {
    expect(question.split(/\s+/).length, title).toBeLessThanOrEqual(40);
    expect(text.join(' ').split(/\s+/).length, title).toBeLessThanOrEqual(150);
  }
  expect(chapters.length).toBeGreaterThanOrEqual(8);
});

it('has at most 60 words before the first control of each chapter, and hides what is to be guessed', async () => {
  const found: [string, number, string][] = [];
  for (const { id, title } of chapters) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, id);
    await page.waitForFunction((t) => document.querySelector('#chapter-title')?.textContent === t, {}, title);
    const [words, figures] = await page.$eval('#chapter', (place): [number, number] => {
      const control = place.querySelector('button:not(.term), input, select, textarea') as Element;
      const before = document.createRange();
      before.setStart(place, 0);
      before.setEndBefore(control);
      const isGuess = control.closest('.guess') !== null;
      return [
        before.toString().trim().split(/\s+/).length,
        isGuess ? place.querySelectorAll('table, figure, .tokens, [data-picture]').length : 0,
      ];
    });
    found.push([id, words, figures === 0 ? '' : 'shown before the guess']);
  }
  expect(found.filter(([, words, shown]) => words > 60 || shown)).toEqual([]);
  await page.evaluate(() => {
    location.hash = 'output';
  });
  await page.waitForSelector('.guess button');
  const best = 100 * (reference.next[0]?.[0]?.probability ?? 0);
  await page.locator('.guess button:nth-child(3)').click(); // 99 %
  expect(await page.$eval('.guess-result', (e) => e.textContent)).toMatch(
    best > 80 ? 'You guessed it.' : 'You guessed 99',
  );
  expect(await page.$$eval('.logits table', (all) => all.length)).toBe(1);
});

it('shows the tokens, scores, weights and losses that the CPU executor computes', async () => {
  await chapter('tokens');
  expect(await page.$$eval('.tokens .number', (all) => all.map((e) => Number(e.textContent)))).toEqual(
    [...reference.source, ...reference.target].map(({ id }) => id),
  );
  const labels = (await page.$$eval('.tokens b', (all) => all.map((e) => e.textContent))).join(' ');
  expect(labels).toBe(
    '␣Tuesday , ␣March ␣4 , ␣20 25 [end] [start] ␣martes , ␣4 ␣de ␣marzo ␣de ␣20 25', // 20 and 25 are of one word
  );
  expect(reference.targetText).toBe('martes, 4 de marzo de 2025');
  await chapter('queries');
  expect(await page.$eval('figure .mono', (e) => e.textContent?.split(/\s+/).length)).toBe(16); // all of the head
  const encoder = reference.attention.filter(({ kind }) => kind === 'encoder').at(-1);
  const score = encoder?.scores?.[1] as number; // head 1, query 1, key 2
  expect(await page.$eval('[data-score]', (e) => Number(e.getAttribute('data-score')))).toBeCloseTo(score, 3);
  expect(await page.$eval('[data-score]', (e) => e.textContent)).toContain(`= ${score.toFixed(3)}; the GPU`);
  await chapter('cross');
  const cross = reference.attention.filter(({ kind }) => kind === 'cross').at(-1);
  const weights = [...(cross?.weights ?? new Float32Array())].slice(0, reference.source.length);
  for (const [j, shown] of (await cells(3)).entries())
    expect(number(shown)).toBeCloseTo(100 * (weights[j] as number), 0);
  // A token that is pointed at shows its row: products, scores, weights, and the values times their weights.
  await (await page.$$('.pick label'))[2]?.hover();
  await page.waitForSelector('[data-row="2"]');
  const keys = reference.source.length;
  const scores = [...(cross?.scores ?? [])].slice(2 * keys, 3 * keys); // head 1
  const found = await cells(2);
  expect(found).toHaveLength(keys);
  for (const [j, shown] of found.entries()) expect(number(shown)).toBeCloseTo(scores[j] as number, 1);
  const width = 16;
  for (const [j, shown] of (await cells(1)).entries())
    expect(number(shown)).toBeCloseTo((scores[j] as number) * Math.sqrt(width), 1);
  expect(await page.$$eval('td .strip', (all) => all.map((e) => e.childElementCount))).toEqual(
    Array(keys).fill(width),
  );
  const sums = reference.tensors.find(
    ({ name }) => name === 'decoder.layers.1.multihead_attn.cross_attention.out',
  );
  const sum = [...(sums?.data.slice(2 * 64, 2 * 64 + 6) ?? [])];
  const passed = await page.$eval(
    '[data-row] figure .mono',
    (e) => e.textContent?.replaceAll('−', '-') ?? '',
  );
  for (const [i, x] of passed.split(/\s+/).slice(0, 6).entries())
    expect(Number(x)).toBeCloseTo(sum[i] as number, 1);
  await chapter('loss');
  for (const [t, shown] of (await cells(3)).entries())
    expect(number(shown)).toBeCloseTo(reference.loss[t] as number, 2);
});

it('changes with its controls: the temperature and the mask of the softmax, another target', async () => {
  await chapter('softmax');
  const before = await cells(3);
  await page.$eval('#softmax-temperature', (e) => {
    (e as HTMLInputElement).value = '4';
    e.dispatchEvent(new Event('input', { bubbles: true }));
  });
  expect(await page.$eval('label[for="softmax-temperature"]', (e) => e.textContent)).toBe('Temperature: 4');
  expect((await cells(2)).slice(3)).toEqual(Array(reference.target.length - 3).fill('−∞'));
  const warm = await cells(3);
  expect(warm).not.toEqual(before);
  expect(warm.slice(3).every((weight) => number(weight) === 0)).toBe(true); // hidden at any temperature
  await page.click('#chapter input[type="checkbox"]');
  expect(number((await cells(3)).at(-1) ?? '')).toBeGreaterThan(0);
  await chapter('loss');
  await page.locator('#chapter input[type="text"]').fill('lunes, 4 de marzo de 2025');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#chapter tbody tr td')?.textContent === 'lunes');
  expect(number((await cells(3))[0] ?? '')).toBeGreaterThan(1);
});

it('trains by hand: the gradient of a weight is its finite difference, and a high rate raises the loss', async () => {
  await chapter('learning');
  const text = (id: string) => page.$eval(`#${id}`, (e) => e.textContent ?? '').then(number);
  await page.waitForSelector('#hand-loss');
  // It begins with a wrong target: another word where the model hesitates.
  const wrong = await page.$eval('#hand-target', (e) => (e as HTMLInputElement).value);
  expect(wrong).not.toBe(reference.targetText);
  expect(await text('hand-loss')).toBeGreaterThan(0.3);
  await page.locator('#hand-target').fill(reference.targetText);
  await page.keyboard.press('Enter');
  const losses = reference.loss;
  const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
  await page.waitForFunction(
    (loss) => Math.abs(Number(document.querySelector('#hand-loss')?.textContent) - loss) < 1e-3,
    {},
    mean,
  );
  const press = async (name: string, updates: number) => {
    await page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
    await page.waitForFunction(
      (n) => Number(document.querySelector('#chapter table tbody tr:last-child th')?.textContent) === n,
      {},
      updates,
    );
  };
  await press('Step', 1);
  const [gradient, difference] = [await text('hand-gradient'), await text('hand-difference')];
  expect(Math.abs(gradient)).toBeGreaterThan(0);
  expect(difference).toBeCloseTo(gradient, 6);
  const [before = '', after = ''] = (await page.$eval('#hand-weight', (e) => e.textContent ?? '')).split(
    ' → ',
  );
  expect(Math.abs(number(after) - number(before))).toBeCloseTo(5e-4, 5); // the first step of Adam moves by the rate
  expect(Math.sign(number(before) - number(after))).toBe(Math.sign(gradient));
  await page.$eval('#hand-rate', (slider) => {
    (slider as HTMLInputElement).value = (slider as HTMLInputElement).max;
    slider.dispatchEvent(new Event('input'));
  });
  await press('Step', 2);
  expect(await text('hand-loss')).toBeGreaterThan(3);
  expect(await page.$eval('[data-picture]', (e) => e.textContent)).toContain('The loss rose');
});

it('shows batches with padding, whose share falls with more buckets', async () => {
  await chapter('batches');
  const share = async (buckets: string) => {
    const before = await page.$eval('[data-picture]', (e) => e.textContent);
    await page.select('#figure-buckets', buckets);
    if (buckets !== '2')
      await page.waitForFunction(
        (text) => document.querySelector('[data-picture]')?.textContent !== text,
        {},
        before,
      );
    const [cells, padding] = await page.$eval('[data-picture]', (e) => [
      e.querySelectorAll('.batch :is(.token, .pad)').length,
      e.querySelectorAll('.pad').length,
    ]);
    const shown = number(await page.$eval('#padding-share', (e) => e.textContent ?? ''));
    expect(shown).toBeCloseTo((100 * (padding ?? 0)) / (cells ?? 1), 0);
    return shown;
  };
  await page.waitForSelector('#padding-share');
  const [one, four] = [await share('0'), await share('3')];
  expect(four).toBeLessThan(one);
  // The length of a row is the number of its tokens.
  const rows = await page.$$eval('.batch li', (all) =>
    all.map((row) => [
      row.querySelectorAll('.token').length,
      Number(row.querySelector('.length')?.textContent),
    ]),
  );
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(([n, length]) => n !== length)).toEqual([]);
});

it('has a map of the model: boxes open chapters, the chapter is lit, and numbers are those of the chosen tokens', async () => {
  await chapter('cross');
  await page.locator('#map-menu > summary').click();
  const boxes = (selector: string) =>
    page.$$eval(`.box${selector}`, (all) => all.map((e) => e.textContent?.trim()));
  expect((await boxes('[aria-current]')).map((text) => text?.slice(0, 9))).toEqual([
    'Memory, f',
    'Cross-att',
  ]);
  await page.select('#map-target', '3');
  await page.select('#map-layer', '1');
  const map = reference.attention.find(({ kind, layer }) => kind === 'cross' && layer === 1);
  const { keys = 0, queries = 0, heads = 0, weights = [] } = map ?? {};
  const means = Array.from({ length: keys }, (_, key) =>
    Array.from({ length: heads }, (_, h) => weights[(h * queries + 3) * keys + key] ?? 0).reduce(
      (a, b) => a + b,
      0,
    ),
  );
  const best = means.indexOf(Math.max(...means));
  const [, cross = ''] = await boxes('[aria-current]');
  expect(cross).toContain(reference.source[best]?.label.trim());
  expect(Number(/[\d.]+(?= %)/.exec(cross)?.[0])).toBeCloseTo((100 * (means[best] ?? 0)) / heads, 0);
  const sum = reference.tensors.find(({ name }) => name === 'decoder.layers.1.add 3');
  const row = [...(sum?.data.slice(3 * 64, 4 * 64) ?? [])];
  const length = Math.sqrt(row.reduce((n, x) => n + x * x, 0)).toFixed(1);
  expect((await boxes('')).at(-2)).toContain(`length ${length}`);
  await page.focus('.stack-of[data-side="decoder"] li:last-child .box');
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    () => document.querySelector('#chapter-title')?.textContent === 'From a vector to a word',
  );
});

it('switches parts off and shows which head matters, with the losses of the library', async () => {
  await chapter('inside');
  await page.waitForSelector('#scalpel-now');
  const now = () => page.$eval('#scalpel-now', (e) => e.textContent?.trim());
  expect(await now()).toBe(reference.targetText);
  await page.locator('.scalpel button.main').click();
  const heads = reference.attention.reduce((sum, map) => sum + map.heads, 0);
  await page.waitForFunction(
    (count) => document.querySelectorAll('.scalpel > .scroll .scalpel-map tbody tr').length === count,
    {},
    heads,
  );
  const model = await loadModel(join(dirname(import.meta.dirname), '../demo/models/en-es.safetensors'), {
    device: 'cpu',
  });
  const ids = reference.target.slice(1).map(({ id }) => id);
  const without = await model.inspect('Tuesday, March 4, 2025', {
    target: ids,
    ablate: ['decoder.0.cross.0'],
  });
  const row = await page.$$eval('.scalpel > .scroll .scalpel-map tbody tr', (rows) =>
    [...(rows.find((one) => /Cross 1.1/.test(one.textContent ?? ''))?.querySelectorAll('td') ?? [])].map(
      (cell) => cell.textContent ?? '',
    ),
  );
  for (const [t, shown] of row.entries())
    expect(Math.abs(number(shown) - ((without.loss[t] ?? 0) - (reference.loss[t] ?? 0)))).toBeLessThan(0.06);
  // Without a layer of the decoder the translation is another one; with all parts it is as before.
  await page.locator('.scalpel-parts > :last-child .scalpel-layer:last-child > button').click();
  const layer = await model.inspect('Tuesday, March 4, 2025', { ablate: ['decoder.1'] });
  model.dispose();
  await page.waitForFunction(
    (text) => document.querySelector('#scalpel-now')?.textContent?.trim() === text,
    {},
    layer.targetText.trim() || '(nothing)',
  );
  await page.locator('::-p-aria([name="Switch all on"][role="button"])').click();
  await page.waitForFunction(
    (text) => document.querySelector('#scalpel-now')?.textContent?.trim() === text,
    {},
    reference.targetText,
  );
});

it('has a moving picture that stops where it is clicked, with the numbers of the model', async () => {
  await page.locator('.picture-part[title="Decoder, layer 2: cross-attention to the memory"]').click();
  await page.waitForSelector('.picture-numbers table');
  await page.locator('.picture-tokens button:first-child').click();
  const map = reference.attention.find(({ kind, layer }) => kind === 'cross' && layer === 1);
  const shares = await page.$$eval('.picture-numbers tbody tr:first-child td', (cells) =>
    cells.map((cell) => cell.textContent ?? ''),
  );
  expect(shares).toHaveLength(reference.source.length);
  for (const [key, shown] of shares.entries())
    expect(number(shown)).toBeCloseTo(100 * (map?.weights[key] ?? 0), 0);
  expect(await page.$eval('.picture-bar button', (e) => e.textContent?.trim())).toBe('Play');
});

it('makes a vocabulary merge by merge', async () => {
  await chapter('vocabulary');
  const pieces = () => page.$$eval('#merge-pieces li', (all) => all.map((e) => e.textContent?.trim() ?? ''));
  await page.locator('#merge-text').fill('the cats');
  const letters = await pieces();
  expect(letters).toEqual(['␣t', 'h', 'e', '␣c', 'a', 't', 's']);
  await page.locator('#merge-next').click();
  expect((await pieces()).length).toBeLessThan(letters.length);
});

it.runIf(process.env.HEDDLE_FULL)('draws sines, and the learned positions of another model', async () => {
  await chapter('embeddings');
  const row = (name: RegExp) =>
    page.$$eval(
      '#chapter figure',
      (all, pattern) => {
        const found = all.find((figure) =>
          new RegExp(pattern).test(figure.querySelector('figcaption')?.textContent ?? ''),
        );
        return (found?.querySelector('.mono')?.textContent ?? '')
          .replaceAll('−', '-')
          .split(/\s+/)
          .map(Number);
      },
      name.source,
    );
  const [zero, one] = await row(/^\+ position/);
  expect([zero, one]).toEqual([0, 1]); // sin 0, cos 0
  await page.locator('#chapter input[value="learned"]').click();
  await page.waitForSelector('[aria-label="Learned positions"]');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('value'))).toBe('learned');
  const file = join(dirname(import.meta.dirname), '../demo/models/en-es-learned.safetensors');
  const table = fromFloat16(readSafetensors(readFileSync(file))['src_pos.weight']?.data as Uint16Array);
  for (const [i, shown] of (await row(/^\+ learned position/)).slice(0, 6).entries())
    expect(shown).toBeCloseTo(table[i] as number, 1);
  await page.locator('#chapter input[value="sines"]').click();
  await page.waitForSelector('[aria-label="Sines of the positions"]');
});

it('continues the translation from another token', async () => {
  await chapter('decoding');
  await page.waitForSelector('#beams li');
  // Four beams, which share their first tokens.
  expect(
    await page.$$eval(
      '#beams .tree-row',
      (all) => all.filter((e) => /score/.test(e.textContent ?? '')).length,
    ),
  ).toBe(4);
  expect(await page.$eval('#beams .tree-row', (e) => e.textContent)).toMatch(
    /^\[start\]100\.0 %martes(100\.0|9\d\.\d) %/,
  );
  // Another temperature: the softmax of all logits, not of the tokens that are listed.
  const shares = () =>
    page.$$eval('.choices:first-child .number', (all) => all.map((e) => parseFloat(e.textContent ?? '')));
  const cold = await shares();
  await page.$eval('#decoding-temperature', (e) => {
    (e as HTMLInputElement).value = '3';
    e.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.waitForFunction(
    (share) => parseFloat(document.querySelector('.choices .number')?.textContent ?? '') < share,
    {},
    cold[0] as number,
  );
  for (const [i, share] of (await shares()).entries())
    expect(share).toBeCloseTo(100 * (warm.next[0]?.[i]?.probability ?? 0), 0);
  const other = await page.$eval('.choices button[aria-pressed="false"]', (e) => {
    (e as HTMLButtonElement).click();
    return e.querySelector('b')?.textContent?.trim();
  });
  await page.waitForFunction(
    (label) => document.querySelector('.choices [aria-pressed="true"] b')?.textContent?.trim() === label,
    {},
    other,
  );
});

it('keeps the list of chapters closed on a phone, where it opens by keyboard, and open beside the chapter', async () => {
  await chapter('cross');
  const isShown = () => page.$eval('#chapters a', (link) => link.checkVisibility());
  expect([await isShown(), await page.$eval('#chapters-now', (e) => e.checkVisibility())]).toEqual([
    true,
    false,
  ]);
  await shown.view({ width: 390, height: 844 });
  await page.waitForFunction(() => !document.querySelector('#chapters a')?.checkVisibility());
  await page.focus('#chapters-now');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#chapters a')?.checkVisibility());
  await page.focus('#chapters a[href="#heads"]');
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    () => document.querySelector('#chapter-title')?.textContent === 'Multi-head attention',
  );
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('chapter');
  expect(await page.$eval('#chapters-now', (e) => e.textContent)).toBe(
    'Chapter 7 of 16: Multi-head attention',
  );
  // The chapter is in view, below the picture.
  expect(await page.$eval('#chapter-title', (e) => e.getBoundingClientRect().bottom)).toBeLessThan(200);
  expect(await isShown()).toBe(false);
  await shown.view();
  await page.waitForFunction(() => document.querySelector('#chapters a')?.checkVisibility());
});

it('keeps what is selected, and the focus, when numbers are computed again', async () => {
  await chapter('heads');
  await page.select('#chapter .controls .field:nth-child(2) select', '2');
  const row = '#chapter [data-row]';
  await page.$eval(row, (e) => e.setAttribute('data-old', ''));
  await page.focus('#sentence-text');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${row}:not([data-old])`);
  expect(
    await page.$eval('#chapter .controls .field:nth-child(2) select', (e) => (e as HTMLSelectElement).value),
  ).toBe('2');
  // The row of the selected token is marked in the map.
  await page.focus('#chapter .pick input:checked');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('#chapter [data-row="1"]');
  expect(await page.$eval('#chapter .readout', (e) => e.textContent)).toMatch(/^“,” → /);

  await chapter('decoding');
  await page.$eval('#decoding-temperature', (e) => {
    (e as HTMLInputElement).value = '2';
    e.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.waitForSelector('#beams li');
  const other = '.choices:nth-child(2) button[aria-pressed="false"]';
  const key = await page.$eval(other, (button) => button.getAttribute('data-key'));
  // The probabilities of the temperature may arrive at this moment, with new buttons.
  await page.waitForFunction(
    (selector) => {
      const button = document.querySelector<HTMLButtonElement>(selector);
      button?.focus();
      return button !== null && document.activeElement === button;
    },
    {},
    other,
  );
  await page.keyboard.press('Enter');
  await page.waitForSelector(`.choices button[data-key="${key}"][aria-pressed="true"]`);
  await page.waitForSelector('#beams li');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('data-key'))).toBe(key);
  expect(await page.$eval('label[for="decoding-temperature"]', (e) => e.textContent)).toBe('Temperature: 2');
});

itInFull('shows right-to-left text in its direction, and numbers beside it in theirs', async () => {
  const select = async (name: string) => {
    await page.select('#sentence select', name);
    await page.waitForFunction(
      (given) => {
        const status = document.querySelector('#sentence-status')?.textContent ?? '';
        const shown = document.querySelector<HTMLSelectElement>('#sentence select')?.value;
        return shown === given && /source tokens/.test(status);
      },
      {},
      name,
    );
  };
  await chapter('loss');
  await select('Dates → Arabic');
  const target = await page.$eval('#chapter input[type="text"]', (e) => [
    (e as HTMLInputElement).value,
    getComputedStyle(e).direction,
  ]);
  expect(target).toEqual(['الثلاثاء، 4 مارس 2025', 'rtl']);
  // The percentage is to the right of the token, and its sign to the right of its number.
  const [token, share, sign] = await page.$eval('#chapter tbody tr td:last-child > span', (cell) => {
    const token = cell.querySelector('bdi') as HTMLElement;
    const texts = [...cell.childNodes].filter((node) => node instanceof Text);
    const share = texts.find(({ data }) => data.includes('%')) as Text;
    const left = (from: number, to: number) => {
      const range = document.createRange();
      range.setStart(share, from);
      range.setEnd(share, to);
      return range.getBoundingClientRect().left;
    };
    const length = share.data.length;
    return [token.getBoundingClientRect().right, left(1, 2), left(length - 1, length)] as const;
  });
  expect(share).toBeGreaterThanOrEqual(token);
  expect(sign).toBeGreaterThan(share);
  await select('Dates → Spanish');
});

it.each(process.env.HEDDLE_FULL ? [1280, 390] : [390])(
  'passes axe and fits its width in both themes: %i px',
  async (width) => {
    for (const { id } of chapters) {
      await chapter(id);
      if (id === 'decoding') await page.waitForSelector('#beams li');
      for (const theme of ['light', 'dark'] as const) {
        await shown.view({ width, height: width === 390 ? 844 : 900, theme });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(over, id).toBeLessThanOrEqual(0);
        // Nothing is cut: no column of a table, no branch of the tree. Maps with a column for each word scroll.
        const cut = await page.$$eval('#chapter .scroll:not(.heat-scroll, .scalpel-table)', (all) =>
          all.map((e) => e.scrollWidth - e.clientWidth),
        );
        expect(Math.max(0, ...cut), id).toBe(0);
        // Numbers of neighbouring columns have a gap.
        const gaps = await page.$$eval('#chapter tbody tr', (rows) =>
          rows.flatMap((row) => {
            const boxes = [...row.children].map((cell) => {
              const range = document.createRange();
              range.selectNodeContents(cell);
              return range.getBoundingClientRect();
            });
            return boxes.slice(1).map((box, i) => box.left - (boxes[i]?.right ?? 0));
          }),
        );
        expect(Math.min(99, ...gaps), id).toBeGreaterThan(7);
        // axe takes a third of a second a chapter.
        const hasAxe = width === 390 && (theme === 'light' || id === 'heads');
        if (hasAxe || process.env.HEDDLE_FULL)
          expect(await axeViolations(page), `${id}, ${theme}`).toEqual([]);
      }
      if (id === 'heads' || id === 'queries') await shown.screenshot(`learn-${id}-${width}`);
    }
  },
);

it.each(process.env.HEDDLE_FULL ? ['learn', 'lab', 'code'] : ['learn'])(
  'says how to enable WebGPU, and links to a recorded run: %s',
  async (name) => {
    const lacking = await open(`${name}.html`, {
      before: () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
    });
    for (const width of [1280, 390]) {
      await lacking.view({ width, height: 844 });
      await lacking.page.waitForSelector('.webgpu-problem ol li');
      // The numbers of the list are inside the card.
      expect(
        await lacking.page.$eval('.webgpu-problem ol', (e) => parseFloat(getComputedStyle(e).paddingLeft)),
      ).toBe(22);
      expect(
        await lacking.page.$eval('.webgpu-problem a', (e) => new URL((e as HTMLAnchorElement).href).pathname),
      ).toBe('/train.html');
      expect(await axeViolations(lacking.page), `${width}`).toEqual([]);
    }
    if (name === 'learn') {
      expect(await lacking.page.$eval('#chapter', (e) => e.textContent)).toMatch(
        /^Tokens[\s\S]*needs WebGPU/,
      );
      expect(await lacking.page.$('#sentence')).toBeNull();
    }
    expect(lacking.errors).toEqual([]);
  },
);

itInFull('opens a lesson by its link: model, sentence, chapter, layer and head', async () => {
  await page.bringToFront();
  await shown.view();
  await chapter('cross');
  await page.select('#chapter .controls .field:nth-child(2) select', '2');
  await page.locator('#lesson-link').click();
  await page.waitForFunction(() =>
    /The address/.test(document.querySelector('#lesson-note')?.textContent ?? ''),
  );
  const { search, hash } = new URL(page.url());
  expect(search).toContain('head+cross=2');
  expect(hash).toBe('#cross');
  const text = 'Monday, May 5, 2025';
  const given = new URLSearchParams({
    model: 'Dates → Spanish',
    text,
    'head cross': '3',
    'layer cross': '0',
  });
  const other = await open(`learn.html?${given}#cross`);
  await other.page.waitForSelector('#chapter .controls select');
  expect(await other.page.$$eval('#chapter .controls select', (all) => all.map((e) => e.value))).toEqual([
    '0',
    '3',
  ]);
  expect(await other.page.$eval('#sentence-text', (e) => (e as HTMLInputElement).value)).toBe(text);
  expect(other.errors).toEqual([]);
  await other.page.close();
});
