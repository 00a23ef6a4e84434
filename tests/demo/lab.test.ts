// The built kernel lab, on Chrome's software adapter.
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'puppeteer';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { LabResults } from '../../demo/lab/lab-protocol.ts';
import { chosenKernels } from '../../src/bench/measure-kernels.ts';
import { axeViolations } from '../support/axe.ts';
import { scratch } from '../support/cli.ts';
import {
  atBothWidths,
  type DemoPage,
  type DemoPageOptions,
  demo,
  openDetails,
  ownChrome,
  pickFiles,
  untilText,
} from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';

const { open } = demo(undefined, ownChrome); // it crashes the GPU process

const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
/** The text of an element; empty if it is not shown. */
const shownText = (page: Page, selector: string) =>
  page.$eval(selector, (e) => (e.checkVisibility() && e.textContent) || '');
const untilStatus = (page: Page, pattern: string) => untilText(page, '.status', pattern);
const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

/** Opens the lab, ready to measure the small kernels with `filter` in their name. */
async function openLab(filter: string, options: DemoPageOptions = {}): Promise<DemoPage> {
  const lab = await open('lab.html', options);
  await lab.page.waitForSelector('#controls form');
  await openDetails(lab.page, '#controls details');
  if (filter) await lab.page.type('input[type=search]', filter);
  return lab;
}

describe('a measurement', () => {
  const filter = 'norm';
  const names = chosenKernels('small', filter).map(({ name }) => name);
  let lab: DemoPage;
  beforeAll(async () => {
    lab = await openLab(filter, {
      before: () => {
        // Lets a test send messages as the worker.
        globalThis.Worker = class extends Worker {
          constructor(...given: ConstructorParameters<typeof Worker>) {
            super(...given);
            Object.assign(globalThis, { labWorker: this });
          }
        };
      },
    });
    await press(lab.page, 'Measure');
    await untilStatus(lab.page, '^Done: ');
  });

  it('shows every kernel as correct, in the table and the roofline', async () => {
    const { page } = lab;
    await atBothWidths(page, async (width) => {
      // On a phone a kernel is a block with the names of its values, and the buttons that sort are above.
      await page.waitForFunction(
        (name) => {
          const cell = document.querySelector('.kernels tbody td:nth-of-type(4)');
          return cell && getComputedStyle(cell, '::before').content === name;
        },
        {},
        width === 390 ? '"GB/s"' : 'none',
      );
      expect(await page.$eval('#table .scroll', (e) => e.scrollWidth - e.clientWidth)).toBe(0);
      expect(await shownText(page, '.kernels thead th:nth-child(5) button')).toBe('GB/s');
      const status = await shownText(page, '.status');
      expect(status).toContain(`Done: ${names.length} kernels, all correct. The roofs differ by `);
      expect(status).toMatch(
        /differ by [\d.]+ % before and after\.( This machine is busy, measure again\.)?$/,
      );
      expect(await shownText(page, '#roofline .note')).toMatch(
        /The adapter is software: it computes on the CPU/,
      );
      expect(await shownText(page, '#roofline')).toMatch(
        /Roofs: [\d.]+ GB\/s ± [\d.]+ %, [\d.]+ GFLOP\/s ± [\d.]+ %\. Measured 3 times before and 3 times after the kernels/,
      );
    });
    expect(await page.$$eval('.kernels tbody th', (cells) => cells.map((c) => c.textContent))).toEqual(names);
    const cells = await page.$$eval('.kernels tbody tr:first-child td', (all) =>
      all.map((c) => c.textContent ?? ''),
    );
    expect(cells[0]).toMatch(/^[\d.,]+ (µs|ms|s)$/);
    expect(cells[1]).toMatch(/^± [\d.]+ %( ⚠.*)?$/);
    expect(cells[5]).toMatch(/^(exact|\de−\d)$/);
    expect(
      await page.$$eval('.plot .place', (marks) => marks.map((m) => m.getAttribute('data-kernel')).sort()),
    ).toEqual([...names].sort());
    expect(await page.$$eval('.roof-name', (t) => t.map((e) => e.textContent).join(' '))).toMatch(
      /copies [\d.,]+ GB\/s multiply-adds [\d.,]+ GFLOP\/s/,
    );
    expect(await text(page, '.adapter')).toContain('swiftshader');
  });

  it('shows all variants on request, in table and chart', async () => {
    const { page } = lab;
    const count = () => page.$$eval('.kernels tbody tr', (rows) => rows.length);
    const marks = () => page.$$eval('.plot .place', (all) => all.length);
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForSelector('.kernels tr.slower');
    expect(await count()).toBeGreaterThan(names.length);
    expect(await marks()).toBe(await count());
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForFunction(() => !document.querySelector('.kernels tr.slower'));
    expect(await count()).toBe(names.length);
  });

  it('highlights the same kernel in chart and table', async () => {
    const { page } = lab;
    const [, second = ''] = names;
    await page.hover('.kernels tbody tr:nth-child(2) td');
    expect(await text(page, '.readout')).toMatch(/GFLOP\/s at .* FLOP\/byte, .* % of the roofline$/);
    expect(await text(page, '.readout')).toContain(second);
    expect(await page.$eval('.place.pointed', (mark) => mark.getAttribute('data-kernel'))).toBe(second);
    const mark = await page.$(`.place[data-kernel="${names[0]}"]`);
    await mark?.hover();
    expect(await page.$eval('.kernels tr.pointed', (row) => row.dataset.kernel)).toBe(names[0]);
  });

  it('reports features, limits, the subgroup size, and the maximum error of each kernel', async () => {
    const { page } = lab;
    const report = await text(page, '#conformance');
    expect(report).toMatch(/timestamp-query(yes|no)/);
    expect(report).toMatch(/subgroup size(\d+|—)/);
    expect(report).toContain('maxComputeWorkgroupStorageSize16 Ki');
    for (const name of names) expect(report).toContain(name);
    expect(report).not.toContain('fails');
  });

  it('copies and shows the results as JSON', async () => {
    const { page } = lab;
    await page
      .browserContext()
      .overridePermissions(new URL(page.url()).origin, [
        'clipboard-read',
        'clipboard-write',
        'clipboard-sanitized-write',
      ]);
    await page.bringToFront();
    await press(page, 'Copy as JSON');
    await page.waitForFunction(() =>
      /^(Copied|This browser)/.test(document.querySelector('#results .hint')?.textContent ?? ''),
    );
    const json = JSON.parse(await text(page, '.json')) as LabResults;
    expect(await text(page, '#results .hint')).toBe('Copied.');
    expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(json);
    expect(json.kernels.map(({ name }) => name)).toEqual(names);
    expect(json.machine.adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader' });
    expect(json.machine.agent).toContain('Chrome/');
    expect(json.machine.browser.join()).toMatch(/Chrom\w+ \d+\.\d+/);
    expect(json.machine.flags).toContain('enable-unsafe-webgpu');
    expect(json.conformance?.passed).toBe(true);
    for (const { rate } of [json.roofs.bandwidth, json.roofs.peak]) expect(rate).toBeGreaterThan(0);
    for (const { variants, bytes } of json.kernels) {
      expect(bytes).toBeGreaterThan(0);
      for (const v of variants) {
        expect(v.passed).toBe(true);
        if (v.rounds !== 1) expect(v.rounds).toBe(5); // a variant that cannot be the fastest runs once
        expect(v.low).toBeLessThanOrEqual(v.ms as number);
        expect(v.high).toBeGreaterThanOrEqual(v.ms as number);
      }
    }
  });

  it('shows other libraries in chart and table', async () => {
    const { page } = lab;
    const form = (contestant: string, us: number) => ({
      contestant,
      form: '',
      us,
      gflops: null,
      calls: 1,
      error: 0,
    });
    const forms = [
      { ...form('heddle', 100), low: 90, high: 110 },
      { ...form('tfjs', 400), low: 380, high: 440 },
      form('tfjs', 900),
      { ...form('jax-js', 105), low: 95, high: 150 },
    ];
    const results = [
      { name: 'matmul 256³', flops: 2 * 256 ** 3, bytes: 3 * 4 * 256 ** 2, forms },
      { name: 'without arithmetic', flops: 0, bytes: 100, forms },
    ] satisfies TimedKernel[];
    await page.evaluate((all) => {
      const { labWorker } = globalThis as unknown as { labWorker: Worker };
      for (const kernel of all)
        labWorker.dispatchEvent(new MessageEvent('message', { data: { type: 'peer-kernel', kernel } }));
    }, results);
    await page.waitForSelector('.plot .library-tfjs');
    const marks = await page.$$eval('.plot [class*="library-"]', (all) =>
      all.map((m) => [m.getAttribute('data-kernel'), /library-\w+/.exec(m.getAttribute('class') ?? '')?.[0]]),
    );
    expect(marks.sort()).toEqual(['heddle', 'jax', 'tfjs'].map((id) => ['matmul 256³', `library-${id}`]));
    expect(await text(page, '.legend')).toMatch(/heddle, in the comparisonTensorFlow\.jsjax-js$/);
    await (await page.$('.plot .library-tfjs'))?.hover();
    expect(await text(page, '.readout')).toMatch(
      /^matmul 256³ \(TensorFlow\.js\): 83\.9 GFLOP\/s at 42\.7 FLOP\/byte, [\d.]+ % of the roofline$/,
    );
    await atBothWidths(page, async () => {
      expect(await shownText(page, '#peer-table tbody tr')).toBe(
        'matmul 256³100 µs400 µs 4 × (3.45–4.89)105 µs 1.05 × (0.864–1.67), no difference ⚠',
      );
    });
  });

  it('marks kernels that other work disturbed, and says that the machine is busy', async () => {
    const { page } = lab;
    const measured = JSON.parse(await text(page, '.json')) as LabResults;
    const send = (results: LabResults) =>
      page.evaluate(
        (data) => {
          const { labWorker } = globalThis as unknown as { labWorker: Worker };
          labWorker.dispatchEvent(new MessageEvent('message', { data }));
        },
        { type: 'done', results },
      );
    const [uneven, slowed, quiet] = measured.kernels.map(({ variants: [first, ...others], ...kernel }, i) => {
      const ms = first?.ms ?? 1;
      const [low, high] = i === 0 ? [0.7 * ms, 1.3 * ms] : [0.99 * ms, 1.01 * ms];
      return {
        ...kernel,
        speed: i === 1 ? 0.5 : 1,
        variants: [{ ...first, low, high, rounds: 5 }, ...others],
      };
    }) as LabResults['kernels'][number][];
    const roofSpread = measured.roofSpread as NonNullable<LabResults['roofSpread']>;
    await send({
      ...measured,
      kernels: [uneven, slowed, quiet].filter((kernel) => kernel !== undefined),
      roofSpread: { ...roofSpread, peak: { ...roofSpread.peak, spread: 0.43 }, busy: true },
    });
    await untilText(
      page,
      '.status',
      'The roofs differ by [\\d.]+ % before and after\\. This machine is busy, measure again\\.$',
    );
    await untilText(page, '.kernels tbody td:nth-of-type(2)', '^± 30 % ⚠$');
    await atBothWidths(page, async () => {
      expect(
        await page.$$eval('.kernels tbody td:nth-of-type(2)', (all) => all.map((e) => e.textContent)),
      ).toEqual(['± 30 % ⚠', '± 1.0 % ⚠ at 50 % speed', '± 1.0 %']);
      expect(await shownText(page, '#table')).toContain('⚠ 2 kernels: the spread is over 20.0 %');
      expect(await shownText(page, '#roofline .note.bad')).toMatch(
        /^This machine is busy: the roofs differ by (4[3-9]|[5-9]\d)\.\d % .*Measure again$/,
      );
    });
    await send(measured);
  });

  it('sorts and filters the table', async () => {
    const { page } = lab;
    const shown = () => page.$$eval('.kernels tbody th', (cells) => cells.map((c) => c.textContent ?? ''));
    const heading = (name: string) =>
      page.locator(`.kernels thead ::-p-aria([name="${name}"][role="button"])`);
    await heading('GB/s').click();
    const rates = () =>
      page.$$eval('.kernels tbody tr', (rows) =>
        rows.map((row) => Number(row.cells[4]?.textContent?.replace(',', ''))),
      );
    const up = await rates();
    expect(up).toEqual([...up].sort((a, b) => a - b));
    expect(await page.$eval('.kernels th[aria-sort]', (th) => th.getAttribute('aria-sort'))).toBe(
      'ascending',
    );
    expect(await page.$eval(':focus', (e) => e.textContent)).toBe('GB/s ↑');
    await page.keyboard.press('Enter');
    expect(await rates()).toEqual([...up].reverse());
    await page.type('.table-tools input', 'GRAD');
    expect(await shown()).toEqual(names.filter((name) => /grad/.test(name)));
    await page.select('.table-tools select', 'attention');
    expect(await text(page, '#table')).toContain('No kernel matches.');
    await page.select('.table-tools select', '');
    await page.$eval('.table-tools input', (input) => {
      input.value = '';
      input.dispatchEvent(new Event('input'));
    });
    await heading('Kernel').click();
    expect(await shown()).toEqual(names);
  });

  it('moves along the points of the chart with the arrow keys, and names them', async () => {
    const { page } = lab;
    const focused = () =>
      page.$eval(':focus', (e) => [e.getAttribute('data-kernel'), e.getAttribute('aria-label')]);
    await page.$eval('.plot .place[tabindex="0"]', (mark) => (mark as SVGElement).focus());
    const seen = [await focused()];
    for (let i = 1; i < names.length; i++) {
      await page.keyboard.press('ArrowRight');
      seen.push(await focused());
    }
    expect(seen.map(([name]) => name).sort()).toEqual([...names].sort());
    const [name, label] = seen.at(-1) ?? [];
    expect(label).toMatch(/GFLOP\/s at .* FLOP\/byte, .* % of the roofline$/);
    expect(await text(page, '.readout')).toBe(label);
    expect(await page.$eval('.kernels tr.pointed', (row) => row.dataset.kernel)).toBe(name);
    await page.keyboard.press('Home');
    expect(await focused()).toEqual(seen[0]);
    await page.keyboard.press('Tab');
    expect(await text(page, '.readout')).toMatch(/^Point at a kernel/);
  });

  it('shows the WGSL of a kernel, and checks the changes of the visitor', async () => {
    const { page } = lab;
    const edit = (from: string, to: string) =>
      page.$eval(
        '#editor textarea',
        (area, a, b) => {
          if (!area.value.includes(a)) throw new Error(`there is no ${a} in: ${area.value}`);
          area.value = area.value.replace(a, b);
          area.dispatchEvent(new Event('input'));
        },
        from,
        to,
      );
    const run = async (pattern: RegExp) => {
      await page.focus('#editor textarea');
      await page.keyboard.down('Control');
      await page.keyboard.press('Enter');
      await page.keyboard.up('Control');
      await page.waitForFunction(
        () => !/^(|Compiling.*)$/.test(document.querySelector('#editor .status')?.textContent ?? ''),
      );
      expect(await text(page, '#editor .status')).toMatch(pattern);
    };
    await page.locator('.kernels tbody ::-p-aria([name="layer norm [64,128]"][role="button"])').click();
    await page.waitForFunction(
      () =>
        document.querySelector('.tensors')?.textContent?.startsWith('layer norm') &&
        document.querySelector<HTMLTextAreaElement>('#editor textarea')?.value.includes('@compute'),
    );
    expect(await text(page, '.tensors')).toBe(
      'layer norm [64,128]: x f32 [64,128], gamma f32 [128], beta f32 [128], output y f32 [64,128], output stats f32 [64,2].',
    );
    await edit('@compute', '@compute_');
    await run(/^It does not compile\.$/);
    const line = await page.$eval(
      '#editor textarea',
      (area) => area.value.split('\n').findIndex((l) => l.includes('@compute_')) + 1,
    );
    expect(await text(page, '#editor .line-messages')).toContain(`line ${line} `);
    expect(await page.$eval('#editor .gutter b.error', (b) => b.textContent)).toBe(`▸ ${line}\n`);
    await page.click('#editor .line-messages button');
    expect(
      await page.$eval('#editor textarea', (area) =>
        area.value.slice(area.selectionStart, area.selectionEnd),
      ),
    ).toContain('@compute_');
    await edit('@compute_', '@compute');
    await run(
      /^Correct: the largest error is .* of the roofline\. heddle’s kernel \(.*\) takes .*; yours takes [\d.,]+ × as long\.$/,
    );
    const tried = async () => {
      const { kernels } = JSON.parse(await text(page, '.json')) as LabResults;
      return kernels
        .find(({ name }) => name === 'layer norm [64,128]')
        ?.variants.map(({ variant }) => variant);
    };
    expect(await tried()).toContain('yours 1');
    await page.locator('#editor ::-p-aria([name="Write your own kernel"])').click();
    await run(/^Wrong: the largest error is 1e\+0; the worst is .*\[\d+\] = 0 instead of /);
    expect(await tried()).toEqual(expect.arrayContaining(['yours 1', 'yours 2']));
    await edit('] = 0;', '] = 7; // mine');
    await page.locator('#editor ::-p-aria([name="Reset to heddle’s"])').click();
    await page.locator('#editor ::-p-aria([name="Back to your kernel"])').click();
    await page.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>('#editor textarea')?.value.includes('] = 7; // mine'),
    );
    await page.locator('#editor ::-p-aria([name="Reset to heddle’s"])').click();
    await edit('@compute', '/* draft */ @compute');
    const rows = (await page.$('#editor .sizes input')) as NonNullable<Awaited<ReturnType<Page['$']>>>;
    await rows.evaluate((input) => {
      (input as HTMLInputElement).value = '0';
      input.dispatchEvent(new Event('change'));
    });
    expect(await text(page, '#editor [role=alert]')).toBe(
      'layer norm: rows is 0; it must be a whole number from 1 to 1000000.',
    );
  });

  it('compares with a file of results, and says what is larger than the noise', async () => {
    const { page } = lab;
    const json = JSON.parse(await text(page, '.json')) as LabResults;
    const faster = json.kernels.map((kernel) => ({
      ...kernel,
      variants: kernel.variants.map((v) => ({
        ...v,
        ms: (v.ms ?? 1) / 9,
        low: (v.ms ?? 1) / 9,
        high: (v.ms ?? 1) / 9,
      })),
    }));
    const open = async (name: string, content: string) => {
      const path = join(scratch(), name);
      writeFileSync(path, content);
      await pickFiles(page, '#history input[type=file]', path);
      await page.waitForFunction(
        (n) => document.querySelector('.baseline-of')?.textContent?.includes(n),
        {},
        name.slice(0, 3),
      );
    };
    const { roofSpread: _, ...rest } = json;
    await open('earlier.json', JSON.stringify({ ...rest, kernels: faster.slice(1) }));
    expect(await text(page, '.baseline-of')).toMatch(
      /^Baseline: file earlier\.json, google swiftshader, [A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d\s[AP]M, 2 kernels, /,
    );
    const changes = await page.$$eval('.kernels tbody tr:not(.slower)', (rows) =>
      rows.map((row) => (row as HTMLTableRowElement).cells[8]?.textContent),
    );
    expect(changes[0]).toBe('—');
    for (const change of changes.slice(1))
      expect(change).toMatch(/^\+[\d.]+ % (slower|within the noise), noise ± [\d.]+ %$/);
    expect(await page.$$eval('.plot .baseline', (marks) => marks.length)).toBe(2);
    await page.locator('::-p-aria([name="Remove the baseline"])').click();
    // The page draws in its next frame.
    await page.waitForFunction(
      () => !document.querySelector('.kernels thead')?.textContent?.includes('Difference'),
    );
    await open('The.json', '{"kernels": []}');
    expect(await text(page, '.baseline-of')).toBe('The file has no kernels: the list is empty.');
  });

  const views = [
    [1280, 'light'],
    [390, 'dark'],
    [1280, 'dark'],
    [390, 'light'],
  ] as const;
  it.each(process.env.HEDDLE_FULL ? views : views.slice(0, 2))(
    'passes axe and fits its width at %i px, %s',
    async (width, theme) => {
      const { page, screenshot } = lab;
      await page.mouse.move(0, 0);
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      await page.waitForFunction(
        (w) => Number(document.querySelector('.plot')?.getAttribute('width')) < w,
        {},
        width,
      );
      await page.$$eval('details', (all) => {
        for (const details of all) details.open = true;
      });
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      // Show, Compare and Delete of an earlier run are on the screen, without scrolling sideways.
      const rights = await page.$$eval('#history .actions button', (all) =>
        all.map((button) => button.getBoundingClientRect().right),
      );
      expect(rights.length).toBeGreaterThanOrEqual(3);
      expect(Math.max(...rights)).toBeLessThan(width);
      expect(await page.$eval('#history .scroll', (e) => e.scrollWidth - e.clientWidth)).toBe(0);
      await page.$$eval('details', (all) => {
        for (const details of all) details.open = false;
      });
      await screenshot(`lab-${width}-${theme}`);
    },
  );

  it('shares its results by address, and shows them again after a reload', async () => {
    const { page } = lab;
    await press(page, 'Copy a link to these results');
    await page.waitForFunction(() =>
      document.querySelector('.link-text')?.textContent?.includes('#results='),
    );
    const link = await text(page, '.link-text');
    await page.goto(link);
    await page.reload();
    await page.waitForSelector('#controls form');
    await openDetails(page, '#controls details');
    await page.waitForSelector('.kernels thead ::-p-text(Difference)');
    expect(await text(page, '.baseline-of')).toMatch(
      /^Baseline: shared result, google swiftshader, .* 3 kernels, /,
    );
    expect(await page.$$eval('.kernels tbody th', (cells) => cells.map((c) => c.textContent))).toEqual(names);
    expect(await text(page, '#controls .status')).toMatch(/^Run of [A-Z][a-z]{2} \d+, 20\d\d, /);
    // The kernel that the visitor was writing is there too.
    await page.$eval('#editor', (editor) => editor.scrollIntoView());
    await page.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>('#editor textarea')?.value.includes('/* draft */'),
    );
    expect(await text(page, '.tensors')).toMatch(/^layer norm \[\d+,128\]: /);
    await page.$eval('#history .actions button:last-child', (button) =>
      (button as HTMLButtonElement).click(),
    );
    // Without a run of one's own, the shared results stay.
    await page.waitForFunction(() => document.querySelectorAll('.kernels tr.missing').length === 3);
    expect(await text(page, '.kernels tbody tr')).toContain('only in the baseline');
  });

  it('requests only its own origin and no other library, without errors', async () => {
    expect(lab.errors).toEqual([]);
    expect(lab.requests.filter((url) => /tfjs|jax/.test(url))).toEqual([]);
    await lab.page.close();
  });
});

describe('the lab', () => {
  let lab: DemoPage | undefined;
  afterEach(async () => {
    await lab?.page.close();
    lab = undefined;
  });

  itInFull('works with the keyboard only, stays responsive while it measures, and stops', async () => {
    lab = await openLab('');
    const { page } = lab;
    await page.focus('input[type=search]');
    for (let i = 0; i < 8 && !(await page.$('#controls button.main:focus')); i++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.kernels tbody tr');
    // The page responds while the worker measures the next kernel.
    await page.locator('::-p-aria([name="Show all variants"])').click();
    await page.waitForSelector('.kernels tr.slower');
    expect(await page.$('#controls button.main:disabled')).not.toBeNull();
    await page.keyboard.down('Shift');
    for (let i = 0; i < 8 && !(await page.$('.go button:focus')); i++) await page.keyboard.press('Tab');
    await page.keyboard.up('Shift');
    await page.keyboard.press('Enter');
    await untilStatus(page, '^Stopped after \\d+ kernels?\\.$');
    expect(await page.$('#controls button.main:disabled')).toBeNull();
    expect(lab.errors).toEqual([]);
  });

  it('offers the libraries that were installed at build time, and no others', async () => {
    lab = await openLab('');
    const needs = { tfjs: '@tensorflow/tfjs-backend-webgpu', jax: '@jax-js/jax' };
    await atBothWidths(lab.page, async () =>
      expect(await shownText(lab?.page as Page, 'body')).not.toMatch(/\bnpm\b/),
    );
    for (const [id, name] of Object.entries(needs)) {
      const installed = existsSync(resolve(import.meta.dirname, '../../bench/peers/node_modules', name));
      expect((await lab.page.$(`input[value=${id}]`)) !== null).toBe(installed);
    }
  });

  it.runIf(process.env.HEDDLE_FULL)(
    'reports a filter that matches no kernel, and measures kernels of any sizes',
    async () => {
      lab = await openLab('no such kernel');
      const { page } = lab;
      await press(page, 'Measure');
      await untilStatus(page, '^No kernel of the set small has .no such kernel. in its name');
      await page.click('::-p-aria([name="Your sizes"])');
      await page.select('#controls .kernel-form select', 'attention');
      const fill = (values: Record<string, string>) =>
        page.$$eval(
          '#controls .kernel-form .field',
          (fields, wanted) => {
            for (const field of fields) {
              const value = wanted[field.querySelector('label')?.textContent ?? ''];
              const input = field.querySelector<HTMLInputElement>('input, select');
              if (value === undefined || !input) continue;
              input.value = value;
              input.dispatchEvent(new Event('change'));
            }
          },
          values,
        );
      await fill({ Sentences: '2', Length: '9', Heads: '3', 'Head width': '300' });
      await page.$eval('#controls form', (form) => (form as HTMLFormElement).setAttribute('novalidate', ''));
      await press(page, 'Measure');
      expect(await text(page, '#controls [role=alert]')).toBe(
        'attention: width is 300; it must be a whole number from 1 to 256.',
      );
      await fill({ 'Head width': '5' });
      await press(page, 'Measure');
      await untilStatus(page, '^Done: 1 kernel, all correct');
      expect(await text(page, '.kernels tbody th')).toBe('attention [2,9] 3 heads x 5');
    },
  );

  it.runIf(process.env.HEDDLE_FULL)(
    'reports a crash of the GPU process, and measures again after it',
    async () => {
      lab = await openLab('softmax');
      const { page } = lab;
      await press(page, 'Measure');
      await untilStatus(page, 'bandwidth and peak');
      const session = await page.browser().target().createCDPSession();
      await session.send('Browser.crashGpuProcess' as never).catch(() => {});
      await untilStatus(page, 'device was lost');
      expect(await page.$eval('.status', (e) => e.classList.contains('wrong'))).toBe(true);
      await press(page, 'Measure');
      await untilStatus(page, '^Done: 1 kernel,');
    },
  );

  it('explains missing WebGPU', async () => {
    const before = () => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
    lab = await open('lab.html', { before });
    await lab.page.waitForSelector('#webgpu-problem h2');
    expect(await text(lab.page, '#webgpu-problem')).toMatch(/not support WebGPU[\s\S]*how to enable WebGPU/);
    expect(await lab.page.$eval('#lab', (e) => (e as HTMLElement).hidden)).toBe(true);
    expect(await axeViolations(lab.page)).toEqual([]);
  });
});
