// The built training page with a fake worker behind it: what it shows, what it asks, and that everyone can use it.
import type { Page } from 'puppeteer';
import { afterEach, describe, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { type DemoPage, type DemoView, demo } from '../support/demo.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

let shown: DemoPage | undefined;
afterEach(() => {
  expect(shown?.faults.splice(0) ?? []).toEqual([]);
});

/** The page loaded anew, when the plan of the default training is shown. */
async function openPage(view?: DemoView): Promise<Page> {
  if (shown) {
    await shown.view(view);
    await shown.page.reload();
  } else shown = await open('index.html', { before: fakeWorker, ...view });
  await shown.page.waitForSelector('#start:not([disabled])');
  return shown.page;
}

const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
const calls = (page: Page, name: string) =>
  page.evaluate((n) => window.fake.calls.filter((c) => c.name === n).map((c) => c.args), name);
/** Waits until an element says something. */
const says = (page: Page, selector: string, pattern: string) =>
  page.waitForFunction(
    (s, p) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ''),
    {},
    selector,
    pattern,
  );
const press = (page: Page, name: string) => page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

async function train(page: Page): Promise<void> {
  await page.click('#start');
  await says(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(450, 50));
  await says(page, '#run', 'step 450 of 800');
}

describe('before a training', () => {
  it('says what the corpus is and what the plan takes', async () => {
    const page = await openPage();
    expect(await text(page, '#corpus-facts')).toMatch(/pairs\s*40,000[\s\S]*3,120 in the vocabulary/);
    expect(await text(page, '#plan-facts')).toMatch(/parameters\s*781,144[\s\S]*GPU memory\s*46.1 MiB/);
    expect(await page.$$eval('#corpus select option', (options) => options.length)).toBeGreaterThan(100);
  });

  it('says plainly where a plan does not fit, and does not start it', async () => {
    const page = await openPage();
    await page.evaluate(() => {
      window.fake.fits = false;
    });
    await page.select('#recipe select', 'base');
    await says(page, '#plan-facts .wrong', 'A buffer of 3.1 GiB is needed');
    expect(await page.$eval('#start', (b) => (b as HTMLButtonElement).disabled)).toBe(true);
  });

  it('asks for what the forms say', async () => {
    const page = await openPage();
    const source = await page.$$('#corpus select');
    await source[0]?.select('de');
    await page.locator('::-p-aria([name="Learning rate"][role="spinbutton"])').fill('0.001');
    await page.locator('::-p-aria([name="Dropout"][role="spinbutton"])').fill('0.25');
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args).includes('0.25'));
    const [settings] = (await calls(page, 'describe')).at(-1) as [Record<string, unknown>];
    expect(settings).toMatchObject({
      name: 'intl-de-es',
      corpus: { kind: 'intl', source: 'de', target: 'es', pairs: 40_000 },
      model: { dropout: 0.25, norm: 'pre' },
      schedule: { kind: 'linear', learningRate: 0.001 },
      steps: 800,
    });
  });

  it('starts nothing on an answer about settings that have changed since', async () => {
    const page = await openPage();
    const rate = page.locator('::-p-aria([name="Learning rate"][role="spinbutton"])');
    await page.evaluate(() => window.fake.hold(true));
    await rate.fill('0.001');
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args).includes('0.001'));
    await rate.fill('0.002');
    // The answer about 0.001 comes before the page has asked about 0.002.
    const early = await page.evaluate(async () => {
      window.fake.hold(false);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve));
      return (document.querySelector('#start') as HTMLButtonElement).disabled;
    });
    expect(early).toBe(true);
    await page.waitForSelector('#start:not([disabled])');
    await page.click('#start');
    await says(page, '.state', 'Training');
    const [settings] = (await calls(page, 'start')).at(-1) as [unknown];
    expect(settings).toMatchObject({ schedule: { learningRate: 0.002 } });
  });

  it('names the field where a number is wrong', async () => {
    const page = await openPage();
    const batch = page.locator('::-p-aria([name="Batch, sentences"][role="spinbutton"])');
    await batch.fill('0');
    await says(page, '#plan-facts .wrong', 'Batch, sentences: ');
    expect(await page.$eval('[aria-invalid]', (e) => (e as HTMLInputElement).labels?.[0]?.textContent)).toBe(
      'Batch, sentences',
    );
    await batch.fill('32');
    await page.waitForSelector('#start:not([disabled])');
    expect(await page.$('[aria-invalid]')).toBeNull();
  });

  it('takes a file that is dropped anywhere, a model too, and pasted text', async () => {
    const page = await openPage();
    const drop = (name: string, content: string) =>
      page.evaluate(
        (name, content) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], name));
          const event = { bubbles: true, cancelable: true, dataTransfer: transfer };
          document.querySelector('h1')?.dispatchEvent(new DragEvent('dragover', event));
          document.querySelector('h1')?.dispatchEvent(new DragEvent('drop', event));
        },
        name,
        content,
      );
    await drop('given.safetensors', 'weights');
    await says(page, '#notices', 'given\\.safetensors is in this browser now');
    expect((await calls(page, 'importArchive')).map(([, name]) => name)).toEqual(['given.safetensors']);
    await drop('numbers.tsv', 'one\tuno\ntwo\tdos\n');
    await says(page, '#corpus-facts', 'line 3 \\(no tab\\)');
    const [dropped] = (await calls(page, 'describe')).at(-1) as [{ name: string; corpus: { name: string } }];
    expect([dropped.name, dropped.corpus.name]).toEqual(['numbers', 'numbers.tsv']);

    await page.click('input[value="paste"]');
    await page.type('#corpus textarea', 'x');
    await page.$eval('#corpus textarea', (area) => {
      (area as HTMLTextAreaElement).value = 'three\ttres';
      area.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args).includes('three\\ttres'));
  });
});

describe('a training', () => {
  it('is started, paused, continued and stopped by the keyboard alone', async () => {
    const page = await openPage();
    await page.keyboard.press('Tab'); // to the skip link, which leads to the run
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('start');
    await page.keyboard.press('Enter');
    await says(page, '.state', 'Training');
    await page.waitForFunction(() => ['pause', 'stop'].includes(document.activeElement?.id ?? ''));
    await page.focus('#pause');
    await page.keyboard.press('Space');
    await says(page, '.state', 'Paused');
    await says(page, '#pause', 'Continue');
    await page.keyboard.press('Space');
    await says(page, '.state', 'Training');
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    await says(page, '.state', 'Stopped');
    await page.waitForFunction(() => document.activeElement?.id === 'start');
  });

  it('draws its curves and figures, and the sentences with what is wrong in them', async () => {
    const page = await openPage();
    await train(page);
    expect(await text(page, '#now-accuracy')).toBe('89.5 %');
    expect(await text(page, '#now-memory')).toBe('48.0 MiB');
    expect(await text(page, '.figures')).toContain('GPU memory, 46.1 MiB by plan');
    expect(await text(page, '#now-learning-rate')).toBe('0.0015');
    await page.waitForSelector('#curves canvas');
    expect(await page.$$eval('.sentences tbody tr', (rows) => rows.length)).toBe(6);
    expect(await text(page, '.sentences tbody tr')).toMatch(/martes, 4 de marzo de 2024/);
    expect(await page.$eval('.sentences ins', (e) => e.textContent)).toBe('2024');
    expect(await text(page, '#sentences')).toContain('4 of 6 exactly');
    await page.click('#log-scale');
    await page.waitForSelector('#curves canvas');
  });

  it('keeps as many nodes after thousands of steps as after hundreds', async () => {
    const page = await openPage();
    await train(page);
    await page.evaluate(() => window.fake.train(3000, 10));
    await says(page, '#now-accuracy', '100.0');
    const before = await page.evaluate(() => document.querySelectorAll('*').length);
    await page.evaluate(() => window.fake.train(5000, 10));
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThanOrEqual(before);
  });

  it('draws once a frame, however many messages come', async () => {
    const page = await openPage();
    await train(page);
    const { drawn, frames } = await page.evaluate(async () => {
      let drawn = 0;
      let frames = 0;
      let counting = true;
      const count = () => {
        frames++;
        if (counting) requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      new MutationObserver(() => drawn++).observe(document.querySelector('#now-loss') as Element, { childList: true });
      for (let i = 0; i < 300; i++) window.fake.train(1, 1000);
      await new Promise((done) => setTimeout(done, 500));
      counting = false;
      return { drawn, frames };
    });
    expect(drawn).toBeGreaterThan(0);
    expect(drawn).toBeLessThanOrEqual(frames + 1);
    expect(drawn).toBeLessThan(300);
  });

  it('asks before it replaces a model of the same name', async () => {
    const page = await openPage();
    await page.evaluate(() => window.fake.fail('start', { kind: 'exists', message: 'there' }));
    await page.click('#start');
    await page.waitForSelector('dialog[open]');
    await press(page, 'Keep both');
    await says(page, '.state', 'Training');
    const started = (await calls(page, 'start')) as [{ name: string }, { replace: boolean }][];
    expect(started.map(([s, o]) => [s.name, o.replace])).toEqual([
      ['intl-en-es', false],
      ['intl-en-es-2', false],
    ]);
  });

  it('says what happened where it cannot start', async () => {
    const page = await openPage();
    const faults = {
      locked: 'Another tab trains intl-en-es.',
      memory: 'The GPU has no room for 3.1 GiB.',
      quota: 'The browser has no room left.',
    };
    for (const [kind, message] of Object.entries(faults) as [keyof typeof faults, string][]) {
      await page.evaluate((fault) => window.fake.fail('start', fault), { kind, message });
      await page.click('#start');
      await says(page, '#notices .bad', message);
    }
  });

  it('says that the GPU was lost and is back, and why it ends where that comes too often', async () => {
    const page = await openPage();
    await train(page);
    await page.evaluate(() =>
      window.fake.tell({ type: 'recovered', step: 400, text: 'The GPU was lost and is back.' }),
    );
    await says(page, '#notices', 'The GPU was lost and is back\\.');
    const text = 'The GPU device was lost 3 times within a minute, so training has ended.';
    await page.evaluate((why) => {
      window.fake.tell({ type: 'state', state: 'failed', model: 'intl-en-es', step: 450, steps: 800, text: why });
    }, text);
    await says(page, '.state', 'Failed');
    await says(page, '#notices .bad', text);
    expect(await axeViolations(page)).toEqual([]);
    await shown?.screenshot('train-1280-light-failed');
    await page.waitForSelector('#start:not([hidden], [disabled])'); // and another can be started
  });
});

describe('after a reload', () => {
  it('offers to continue the training that is not at its end', async () => {
    const page = await openPage();
    await says(page, '#notices', 'intl-en-fr is at step 420 of 800');
    await press(page, 'Continue the training');
    await says(page, '.state', 'Training');
    expect(await calls(page, 'resume')).toEqual([['intl-en-fr', {}]]);
  });
});

describe('the translate box', () => {
  it('shows the tokens, the candidates, and what each token looked at', async () => {
    const page = await openPage();
    await train(page);
    await page.click('#translate-box input[value="beam"]');
    await page.click('#translate');
    await says(page, '#translation', '^martes , 4 de marzo de 2025$');
    await page.waitForSelector('.heat-cell');
    expect((await calls(page, 'translate')).at(-1)).toEqual([
      'Tuesday, 4 March 2025',
      { method: 'beam', beams: 4, numReturn: 4, lengthPenalty: 0.6 },
    ]);
    expect(await page.$$eval('.heat-cell', (cells) => cells.length)).toBe(8 * 6);
    expect(await page.$$eval('.heat text', (labels) => labels.map((l) => l.textContent))).toContain('[end]');
    await page.$eval('.heat', (e) => (e as SVGElement).focus());
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight'] as const) await page.keyboard.press(key);
    await says(page, '.readout', '“4” looked at “,”: ');
    const averaged = await text(page, '.readout');
    await page.select('.heat-choice select', '1');
    expect(await text(page, '.readout')).not.toBe(averaged);
    expect(await page.$$eval('#translate-box details li', (items) => items.length)).toBe(8);
  });

  it('shows tokens as they come, and stops when it is told to', async () => {
    const page = await openPage();
    await train(page);
    await page.locator('#translate-text').fill('endless');
    await page.keyboard.press('Enter');
    await says(page, '#translation', '^the first piece$');
    await press(page, 'Cancel');
    await says(page, '#translate-box [role="status"]', '^Cancelled\\.$');
    expect(await page.$eval('#translation', (e) => e.textContent)).toBe('the first piece');
  });

  it('sends what sampling needs, and refuses what it cannot take', async () => {
    const page = await openPage();
    await train(page);
    await page.click('#translate-box input[value="sample"]');
    await page.locator('::-p-aria([name="Top p"][role="spinbutton"])').fill('2');
    await page.click('#translate');
    await page.waitForSelector('#translate-box [aria-invalid]');
    expect(await calls(page, 'translate')).toEqual([]);
    await page.locator('::-p-aria([name="Top p"][role="spinbutton"])').fill('0.9');
    await page.locator('::-p-aria([name="Temperature"][role="spinbutton"])').fill('0.7');
    await page.click('#translate');
    await says(page, '#translation', 'martes');
    expect((await calls(page, 'translate')).at(-1)?.[1]).toEqual({
      method: 'sample',
      temperature: 0.7,
      topK: 0,
      topP: 0.9,
      seed: 0,
    });
  });
});

describe('the models', () => {
  it('are renamed, and deleted only when the visitor is sure', async () => {
    const page = await openPage();
    await press(page, 'Rename intl-en-fr');
    await page.waitForSelector('dialog[open]');
    await page.locator('dialog input').fill('french');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.fake.calls.some((c) => c.name === 'remove'));
    expect(await calls(page, 'save')).toEqual([['intl-en-fr', 'french']]);
    expect(await calls(page, 'remove')).toEqual([['intl-en-fr']]);
    await page.waitForFunction(() => !document.querySelector('[data-model="intl-en-fr"]'));
  });

  it('are trained further than they were meant to be, and copied', async () => {
    const page = await openPage();
    await page.evaluate(() => {
      window.fake.models = window.fake.models.map((m) => ({ ...m, unfinished: false, lock: 'free' }));
      window.fake.tell({ type: 'state', state: 'stopped', model: '', step: 0, steps: 0, text: '' });
    });
    await press(page, 'Train on with tatoeba');
    await page.waitForSelector('dialog[open]');
    await press(page, 'OK');
    await says(page, '.state', 'Training');
    expect(await calls(page, 'resume')).toEqual([['tatoeba', { steps: 1600 }]]);
    await press(page, 'Copy tatoeba under another name');
    await page.waitForSelector('dialog[open]');
    await press(page, 'OK');
    await page.waitForFunction(() => window.fake.calls.some((c) => c.name === 'save'));
    expect(await calls(page, 'save')).toEqual([['tatoeba', 'tatoeba-copy']]);
  });

  it('stay where the question is answered with Escape, and where another tab has them', async () => {
    const page = await openPage();
    await press(page, 'Delete intl-en-fr');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    expect(await calls(page, 'remove')).toEqual([]);
    expect(await text(page, '[data-model="tatoeba"]')).toContain('another tab trains it');
    expect(await page.$eval('[aria-label="Delete tatoeba"]', (b) => (b as HTMLButtonElement).disabled)).toBe(true);
  });
});

describe('a model from the hub', () => {
  it('is fetched by the keyboard, with its bytes, and cancelled', async () => {
    const page = await openPage();
    await page.focus('#hub-model');
    await page.keyboard.type('me/endless');
    await page.keyboard.press('Enter');
    await says(page, '#hub-bytes', '47\\.7 MiB of 190\\.7 MiB · model\\.safetensors');
    const bar = await page.$eval('progress[aria-label^="Bytes of the model"]', (e) => [
      (e as HTMLProgressElement).value,
      e.getAttribute('aria-valuetext'),
    ]);
    expect(bar).toEqual([0.25, '47.7 MiB of 190.7 MiB · model.safetensors']);
    expect(await axeViolations(page)).toEqual([]);
    await shown?.screenshot('train-hub');
    // The cancelling button has the focus.
    await page.keyboard.press('Enter');
    await says(page, '#hub-note', '^Cancelled\\. What has come is kept: Fetch goes on with it\\.$');
    await page.waitForFunction(() => document.activeElement?.id === 'hub-fetch');
    expect(await page.$$eval('#models progress:not([hidden])', (all) => all.length)).toBe(0);
    // What has come takes room, and can be thrown away.
    await press(page, 'Delete what has come of endless');
    await page.waitForFunction(() => !document.querySelector('[data-part]'));
    expect(await calls(page, 'removeWaiting')).toEqual([['endless']]);
  });

  it('says in a line what went wrong, and when it is here', async () => {
    const page = await openPage();
    await page.click('#hub-fetch');
    await says(page, '#hub-note.wrong', '^Name a model');
    await page.evaluate(() => window.fake.fail('pull', { kind: 'user', message: 'There is no hub.' }));
    await page.type('#hub-model', ' me/it ');
    await page.click('#hub-fetch');
    await says(page, '#hub-note.wrong', '^There is no hub\\.$');
    expect(await axeViolations(page)).toEqual([]);
    await page.click('#hub-fetch');
    await says(page, '#notices', 'it is in this browser now; load it to translate with it');
    expect((await calls(page, 'pull')).at(-1)).toEqual(['me/it', new URL('hub', page.url()).href]);
  });
});

describe('for everyone', () => {
  it.each([1280, 390])(
    'passes axe and fits its width before, during and after, light and dark: %i px',
    async (width) => {
      const size = { width, height: width === 390 ? 844 : 900 };
      const page = await openPage(size);
      const look = async (when: string) => {
        for (const theme of ['light', 'dark'] as const) {
          await shown?.view({ ...size, theme });
          expect(await axeViolations(page), `${when}, ${theme}`).toEqual([]);
          expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), when).toBe(0);
          await page.evaluate(async () => {
            for (const chart of document.querySelectorAll('.chart')) {
              chart.scrollIntoView({ behavior: 'instant' }); // charts draw themselves where they are seen
              for (let i = 0; i < 4; i++) await new Promise(requestAnimationFrame);
            }
            window.scrollTo({ top: 0, behavior: 'instant' });
          });
          const drawn = await page.$$eval('.chart', (charts) => charts.map((c) => c.querySelector('canvas') !== null));
          expect(drawn).toEqual(drawn.map(() => when !== 'before'));
          await shown?.screenshot(`train-${width}-${theme}-${when}`);
        }
      };
      await look('before');
      await train(page);
      await look('during');
      await page.evaluate(() => {
        window.fake.train(350, 50);
        const done = { state: 'done', model: 'intl-en-es', step: 800, steps: 800, text: '' } as const;
        window.fake.tell({ type: 'state', ...done });
      });
      await says(page, '.state', 'Done');
      await page.locator('#translate').click(); // once it stands still: what is done changes the panels above it
      await page.waitForSelector('.heat-cell');
      await page.$$eval('details', (all) => {
        for (const one of all) one.open = true;
      });
      await look('after');
    },
  );

  it('goes light and dark by its button, and stays so after a reload', async () => {
    const page = await openPage();
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.click('.theme');
    await page.click('.theme');
    expect(await ground()).not.toBe(light);
    await page.reload();
    await page.waitForSelector('#start:not([disabled])');
    expect(await ground()).not.toBe(light);
    expect(await page.$eval('.theme', (b) => b.getAttribute('aria-label'))).toBe('Colours: dark');
    await page.click('.theme'); // as the system is again, for the tests after this one
    expect(await ground()).toBe(light);
  });

  it('tells screen readers at each tenth and not at each step', async () => {
    const page = await openPage();
    await page.evaluate(() => {
      const spoken: (string | null)[] = [];
      Object.assign(window, { spoken });
      const place = document.querySelector('#run [role="status"]') as Element;
      new MutationObserver(() => spoken.push(place.textContent)).observe(place, { childList: true });
    });
    await train(page);
    for (let i = 0; i < 10; i++) {
      await page.evaluate(() => window.fake.train(8, 1000));
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    }
    await says(page, '#run [role="status"]', 'percent');
    const spoken = await page.evaluate(() => (window as unknown as { spoken: string[] }).spoken);
    expect(spoken.length).toBeGreaterThan(1);
    expect(spoken.length).toBeLessThan(10);
  });
});

describe('without WebGPU', () => {
  let lacking: DemoPage | undefined;
  afterEach(async () => {
    expect(lacking?.faults).toEqual([]);
    await lacking?.page.close();
  });

  it('says what is missing and how to switch it on', async () => {
    lacking = await open('index.html', {
      before: () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
    });
    const { page } = lacking;
    await page.waitForSelector('.lack');
    expect(await text(page, '.lack')).toMatch(/has no WebGPU[\s\S]*Chrome or Edge: what to do[\s\S]*chrome:\/\/flags/);
    expect(await page.$eval('#layout', (e) => (e as HTMLElement).hidden)).toBe(true);
    expect(await axeViolations(page)).toEqual([]);
    await lacking.screenshot('train-no-webgpu');
  });

  it('tells a missing adapter from a missing WebGPU', async () => {
    lacking = await open('index.html', {
      before: () => {
        GPU.prototype.requestAdapter = () => Promise.resolve(null);
      },
    });
    await lacking.page.waitForSelector('.lack');
    expect(await text(lacking.page, '.lack')).toContain('finds no graphics card');
  });
});
