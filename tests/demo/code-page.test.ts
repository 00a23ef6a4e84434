// The page Code: programs run in their sandboxed frame, with their output, errors with lines, and a stop.
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { type DemoPage, demo } from '../support/demo.ts';

const { open } = demo();
let code: DemoPage;
beforeAll(async () => {
  code = await open('code.html#metrics-of-translations');
  await code.page.waitForSelector('#program textarea');
});
afterAll(() => code.page.close());

const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
const press = (name: string) => code.page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
const write = (program: string) =>
  code.page.$eval(
    '#program textarea',
    (area, value) => {
      area.value = value;
      area.dispatchEvent(new Event('input'));
    },
    program,
  );

/** Runs a program, the one that is shown if none is given; returns its output and how it ended. */
async function run(program?: string): Promise<{ output: string; status: string; messages: string }> {
  const { page } = code;
  if (program !== undefined) await write(program);
  await press('Run');
  await page.waitForFunction(() =>
    /^(Finished|Failed)/.test(document.querySelector('#program .status')?.textContent ?? ''),
  );
  await page.waitForFunction(() => new Promise((resolve) => requestAnimationFrame(() => resolve(true))));
  const [output, status, messages] = await Promise.all(
    ['#output', '#program .status', '#program .line-messages'].map((selector) => text(page, selector)),
  );
  return { output: output ?? '', status: status ?? '', messages: messages ?? '' };
}

describe('an example', () => {
  it('is one of the README or of docs/examples.md', async () => {
    const titles = await code.page.$$eval('#program select option', (all) => all.map((o) => o.textContent));
    expect(titles[0]).toBe('Train a translator');
    expect(titles).toContain('A custom op');
    expect(titles).toHaveLength(7);
    expect(await text(code.page, '#top nav [aria-current]')).toBe('Code');
  });

  it('runs with the library', async () => {
    const { output, status } = await run();
    expect(status).toMatch(/^Finished in /);
    expect(output).toMatch(/\{ counts: \[9, 7, 4, 3\], .*score: 94\.57/);
    expect(output).toMatch(/\n0\.5\n$/);
  });

  it('computes on the GPU from the frame', async () => {
    await code.page.select('#program select', 'a-graph-on-the-gpu');
    const { output, status } = await run();
    expect(status).toMatch(/^Finished/);
    expect(output).toMatch(/matmul:.*\n.*softmax:/);
    expect(output).toMatch(/Float32Array\(6\) \[0\.78698\d+, 0\.10650/);
  });
});

describe('a program of the visitor', () => {
  it.each([
    ['const a = 1;\nconst b = ;\n', 2, "SyntaxError: Unexpected token ';'"],
    ['console.log(1);\n\nnull.x;\n', 3, /TypeError: Cannot read properties of null/],
    ["import { trian } from 'heddle';\ntrian();", 1, 'heddle exports no trian.'],
    [
      "import { train } from 'heddle';\nimport { Graph } from 'heddle/data';\nGraph();",
      2,
      'heddle/data exports no Graph.',
    ],
    ["import { train } from 'heddle';\nawait train([], {});", 2, /HeddleError: /],
    [
      "setTimeout(() => {\n  throw new Error('late');\n}, 5);\nawait new Promise((r) => setTimeout(r, 60));",
      2,
      'Error: late',
    ],
  ])('has its errors with their lines: %j', async (program, line, message) => {
    const { output, status, messages } = await run(program);
    expect(status).toMatch(/^Failed/);
    expect(messages).toMatch(message);
    expect(messages).toContain(`line ${line} `);
    expect(output).toContain(`(line ${line})`);
    await code.page.click('#program .line-messages button');
    const selected = await code.page.$eval(
      '#program textarea',
      (a) => a.value.slice(0, a.selectionStart).split('\n').length,
    );
    expect(selected).toBe(line);
  });

  it('has no access to this site or the network, and its files are in memory', async () => {
    const { output } = await run(`
      for (const attempt of [
        () => parent.document.title,
        () => localStorage.length,
        () => navigator.storage.getDirectory(),
        () => fetch('${new URL('./index.html', code.page.url())}'),
        () => fetch('https://example.org/'),
      ]) try { await attempt(); console.log('possible'); } catch { console.log('blocked'); }
      console.log(origin, isSecureContext);

      dispatchEvent(new CustomEvent('heddle-file', { detail: { path: 'out/a.txt', bytes: new Uint8Array(2000) } }));`);
    expect(output).toBe(`${'blocked\n'.repeat(5)}null true\n`);
    expect(await text(code.page, '.saved')).toBe('out/a.txt 2.0 KiB');
    code.errors.splice(0); // what was blocked
  });

  it('stops, also in a loop without end', async () => {
    const { page } = code;
    await write("console.log('here');\nawait new Promise((r) => setTimeout(r, 50));\nfor (;;);");
    await press('Run');
    await page.waitForFunction(() => document.querySelector('#output')?.textContent === 'here\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await press('Stop');
    expect(await text(page, '#program .status')).toMatch(/^Stopped after /);
    expect(await page.$('iframe')).toBeNull();
  });

  it('is coloured, has a recorded output before it runs, and is in the link that Copy a link makes', async () => {
    const { page } = code;
    await page.goto(code.page.url().replace(/#.*/, '#a-custom-op'));
    await page.waitForFunction(() =>
      /gradient is right/.test(document.querySelector('.recorded')?.textContent ?? ''),
    );
    await page.waitForFunction(() => (CSS.highlights.get('code-keyword')?.size ?? 0) > 3);
    await write("console.log('shared'); // ñ");
    await press('Copy a link');
    await page.waitForFunction(() => location.hash.startsWith('#program='));
    const link = page.url();
    await page.goto('about:blank');
    await page.goto(link);
    await page.waitForFunction(
      () =>
        document.querySelector<HTMLTextAreaElement>('#program textarea')?.value ===
        "console.log('shared'); // ñ",
    );
    await page.evaluate(() => localStorage.clear());
    await page.goto(link.replace(/#.*/, '#a-graph-on-the-gpu'));
    await page.waitForSelector('#program textarea');
  });

  it('is still there after a reload, until it is reset', async () => {
    const { page } = code;
    await write('console.log(42);');
    await page.reload();
    await page.waitForSelector('#program textarea');
    expect(await page.$eval('#program textarea', (area) => area.value)).toBe('console.log(42);');
    await page.focus('#program textarea');
    await page.keyboard.down('Control');
    await page.keyboard.press('Enter');
    await page.keyboard.up('Control');
    await page.waitForFunction(() => document.querySelector('#output')?.textContent === '42\n');
    await press('Reset the example');
    expect(await page.$eval('#program textarea', (area) => area.value)).toMatch(/openDevice/);
  });
});

it.each([
  [1280, 'light'],
  [390, 'dark'],
] as const)('passes axe and fits its width at %i px, %s', async (width, theme) => {
  const { page, view, screenshot, errors } = code;
  await run('console.warn("careful");\nnull.x;');
  await view({ width, theme });
  expect(await axeViolations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  await screenshot(`code-${width}-${theme}`);
  expect(errors).toEqual([]);
});

describe('the language of the page', () => {
  it('is that of the browser, or the one that the visitor selects', async () => {
    expect(
      code.requests.filter((url) => /\/assets\/es-/.test(url)),
      'an English page loads no texts',
    ).toEqual([]);
    const { page, errors } = await open('code.html', {
      before: () => Object.defineProperty(Navigator.prototype, 'languages', { get: () => ['es-AR', 'en'] }),
    });
    await page.waitForSelector('#program textarea');
    const shown = () => page.evaluate(() => [document.documentElement.lang, document.title]);
    expect(await shown()).toEqual(['es', 'Código · heddle']);
    await Promise.all([page.waitForNavigation(), page.select('select.language', 'en')]);
    expect(await shown()).toEqual(['en', 'Code · heddle']);
    await page.evaluate(() => localStorage.removeItem('heddle-language'));
    expect(errors).toEqual([]);
    await page.close();
  });
});
