// User interface of the built training page with a fake worker: contents, calls and accessibility.
import type { Page } from 'puppeteer';
import { afterEach, describe, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { atBothWidths, type DemoPage, type DemoView, demo, fillField, untilText } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

let shown: DemoPage | undefined;
afterEach(() => {
  expect(shown?.errors.splice(0) ?? []).toEqual([]);
});

/** Waits until the first answer and the plan of the training are there. */
const planned = (page: Page) =>
  page.waitForFunction(() => {
    const plan = document.querySelector('#plan-summary');
    return (
      plan?.firstChild && !plan.hasAttribute('aria-busy') && document.querySelector('#start:not([disabled])')
    );
  });

/** Reloads the page and waits until the plan of the default training is shown. */
async function openPage(view?: DemoView): Promise<Page> {
  if (shown) {
    await shown.view(view);
    await shown.page.reload();
  } else shown = await open('train.html', { before: fakeWorker, ...view });
  await planned(shown.page);
  return shown.page;
}

/** The page as the test before has left it, with its calls forgotten: for tests that need no reload. */
async function samePage(): Promise<Page> {
  if (!shown) return openPage();
  await shown.view();
  await shown.page.evaluate(() => window.fake.forgetCalls());
  return shown.page;
}
/** The page with a training at step 450 or later: that of the test before, if one is running. */
async function trainedPage(): Promise<Page> {
  const page = await samePage();
  if ((await text(page, '.state')) !== 'Training') {
    await openPage();
    await train(page);
  }
  return page;
}

const text = (page: Page, selector: string) => page.$eval(selector, (e) => e.textContent ?? '');
const calls = (page: Page, name: string) =>
  page.evaluate((n) => window.fake.calls.filter((c) => c.name === n).map((c) => c.args), name);
/** Waits until the text of an element matches a pattern. */
const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

async function train(page: Page): Promise<void> {
  await page.locator('#start').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(450, 50));
  await untilText(page, '#run', 'step 450 of 800');
}

describe('before a training run', () => {
  it('shows the corpus statistics and the plan', async () => {
    const page = await openPage();
    expect(await text(page, '#corpus-summary')).toMatch(/pairs\s*40,000[\s\S]*vocabulary: 3,120 tokens/);
    expect(await text(page, '#plan-summary')).toMatch(/parameters\s*781,144[\s\S]*GPU memory\s*46.1 MiB/);
    expect(await page.$$eval('#corpus select option', (options) => options.length)).toBeGreaterThan(100);
  });

  it('names the field of an invalid number', async () => {
    const page = await samePage();
    const batch = page.locator('::-p-aria([name="Batch size"][role="spinbutton"])');
    await batch.fill('0');
    await untilText(page, '#plan-summary .wrong', 'Batch size: ');
    expect(await page.$eval('[aria-invalid]', (e) => (e as HTMLInputElement).labels?.[0]?.textContent)).toBe(
      'Batch size',
    );
    await batch.fill('32');
    await planned(page);
    expect(await page.$('[aria-invalid]')).toBeNull();
  });

  it('requests a plan for the settings of the forms', async () => {
    const page = await samePage();
    const source = await page.$$('#corpus select');
    await source[0]?.select('de');
    await fillField(page, 'Learning rate', '0.001');
    await fillField(page, 'Dropout', '0.25');
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('0.25'));
    const [settings] = (await calls(page, 'describe')).at(-1) as [Record<string, unknown>];
    expect(settings).toMatchObject({
      name: 'intl-de-es',
      corpus: { kind: 'intl', source: 'de', target: 'es', pairs: 40_000 },
      settings: {
        dropout: 0.25,
        norm: 'pre',
        schedule: 'linear',
        learningRate: 0.001,
        steps: 800,
        saveSeconds: 20,
      },
    });
  });

  it('reports a plan that does not fit, and does not start it', async () => {
    const page = await samePage();
    await page.evaluate(() => {
      window.fake.fits = false;
    });
    await page.select('#settings select', 'base');
    await untilText(page, '#plan-summary .wrong', 'A buffer of 3.1 GiB is needed');
    expect(await page.$eval('#start', (b) => (b as HTMLButtonElement).disabled)).toBe(true);
  });

  itInFull('takes the settings that fit the memory budget, with one button', async () => {
    const page = await openPage();
    await page.evaluate(() => {
      window.fake.fits = false;
    });
    await fillField(page, 'Memory budget, MiB', '64');
    const offer = 'Use settings that fit \\(40\\.0 MiB\\): batch size 8, gradient checkpointing';
    await untilText(page, '#take-offer', offer);
    const described = async () => ((await calls(page, 'describe')).at(-1) as [unknown])[0];
    const memoryBudget = 64 * 2 ** 20;
    expect(await described()).toMatchObject({ memoryBudget });
    await page.evaluate(() => {
      window.fake.fits = true;
    });
    await page.locator('#take-offer').click();
    await page.waitForFunction(() => !document.querySelector('#take-offer'));
    const settings = { batchSize: 8, gradientCheckpointing: true };
    expect(await described()).toMatchObject({ settings, memoryBudget });
    expect(await page.$eval('#setting-batchSize', (e) => (e as HTMLInputElement).value)).toBe('8');
    expect(await page.$eval('#start', (b) => (b as HTMLButtonElement).disabled)).toBe(false);
  });

  itInFull('ignores a plan of settings that have changed since', async () => {
    const page = await openPage();
    const rate = page.locator('::-p-aria([name="Learning rate"][role="spinbutton"])');
    await page.evaluate(() => window.fake.delayDescribe(true));
    await rate.fill('0.001');
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('0.001'));
    await rate.fill('0.002');
    // Start is pressed before the page requests a plan for 0.002: it waits for that plan, and does not use
    // the one for 0.001.
    await page.click('#start');
    await untilText(page, '#start', 'Starting');
    await page.evaluate(async () => {
      window.fake.delayDescribe(false);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve));
    });
    await untilText(page, '.state', 'Training');
    const [settings] = (await calls(page, 'start')).at(-1) as [unknown];
    expect(settings).toMatchObject({ settings: { learningRate: 0.002 } });
  });

  itInFull('accepts dropped corpus and model files, and pasted text', async () => {
    const page = await openPage();
    const drop = (names: string, content: string) =>
      page.evaluate(
        (names, content) => {
          const transfer = new DataTransfer();
          for (const name of names.split(' ')) transfer.items.add(new File([content], name));
          const event = { bubbles: true, cancelable: true, dataTransfer: transfer };
          document.querySelector('h1')?.dispatchEvent(new DragEvent('dragover', event));
          document.querySelector('h1')?.dispatchEvent(new DragEvent('drop', event));
        },
        names,
        content,
      );
    await drop('given.safetensors', 'weights');
    await untilText(page, '#models-message', 'given\\.safetensors was imported as');
    await drop('model.enes.intgemm.alphas.bin.gz vocab.enes.spm.gz', 'weights');
    await untilText(page, '#models-message', '2 files were imported as enes');
    expect((await calls(page, 'importArchive')).map(([, name]) => name)).toEqual([
      'given.safetensors',
      'enes',
    ]);
    await drop('numbers.tsv', 'one\tuno\ntwo\tdos\n');
    await untilText(page, '#corpus-summary', 'line 3 \\(no tab\\)');
    const [dropped] = (await calls(page, 'describe')).at(-1) as [{ name: string; corpus: { name: string } }];
    expect([dropped.name, dropped.corpus.name]).toEqual(['numbers', 'numbers.tsv']);

    await page.locator('input[value="paste"]').click();
    await page.type('#corpus textarea', 'x');
    await page.$eval('#corpus textarea', (area) => {
      (area as HTMLTextAreaElement).value = 'three\ttres';
      area.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await page.waitForFunction(() =>
      JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('three\\ttres'),
    );
  });
});

describe('a training run', () => {
  it('is started, paused, continued and stopped with the keyboard only', async () => {
    const page = await openPage();
    await page.keyboard.press('Tab'); // the skip link, which leads to the run panel
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('start');
    await page.keyboard.press('Enter');
    await untilText(page, '.state', 'Training');
    await page.waitForFunction(() => ['pause', 'stop'].includes(document.activeElement?.id ?? ''));
    await page.focus('#pause');
    await page.keyboard.press('Space');
    await untilText(page, '.state', 'Paused');
    await untilText(page, '#pause', 'Continue');
    await page.keyboard.press('Space');
    await untilText(page, '.state', 'Training');
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    await untilText(page, '.state', 'Stopped');
    await page.waitForFunction(() => document.activeElement?.id === 'start');
  });

  it('shows curves, figures and samples with their differences highlighted', async () => {
    const page = await openPage();
    await train(page);
    expect(await text(page, '#now-accuracy')).toBe('89.5 %');
    expect(await text(page, '#now-memory')).toBe('48.0 MiB');
    expect(await text(page, '.figures')).toContain('GPU memory (planned: 46.1 MiB)');
    expect(await text(page, '#now-learning-rate')).toBe('0.0015');
    await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' })); // drawn when it is visible
    await page.waitForSelector('#curves canvas');
    expect(await page.$$eval('.samples tbody tr', (rows) => rows.length)).toBe(6);
    expect(await text(page, '.samples tbody tr')).toMatch(/martes, 4 de marzo de 2024/);
    expect(await page.$eval('.samples ins', (e) => e.textContent)).toBe('2024');
    expect(await text(page, '#samples')).toContain('4 of 6 translations match the reference exactly');
    await page.locator('#log-scale').click();
    await page.waitForSelector('#curves canvas');
  });

  it('draws once per frame at any event rate', async () => {
    const page = await trainedPage();
    const { drawn, frames } = await page.evaluate(async () => {
      let drawn = 0;
      let frames = 0;
      let counting = true;
      const count = () => {
        frames++;
        if (counting) requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      new MutationObserver(() => drawn++).observe(document.querySelector('#now-loss') as Element, {
        childList: true,
        characterData: true,
        subtree: true,
      });
      for (let i = 0; i < 300; i++) window.fake.train(1, 1000);
      await new Promise((done) => setTimeout(done, 500));
      counting = false;
      return { drawn, frames };
    });
    expect(drawn).toBeGreaterThan(0);
    expect(drawn).toBeLessThanOrEqual(frames + 1);
    expect(drawn).toBeLessThan(300);
  });

  it('does not add DOM nodes over thousands of steps', async () => {
    const page = await trainedPage();
    await page.evaluate(() => window.fake.train(3000, 10));
    await untilText(page, '#now-accuracy', '100.0');
    // The charts are drawn after the numbers: each count waits for them.
    const drawnNodes = async () => {
      await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
      return page.evaluate(() => document.querySelectorAll('*').length);
    };
    const before = await drawnNodes();
    await page.evaluate(() => window.fake.train(5000, 10));
    expect(await drawnNodes()).toBeLessThanOrEqual(before);
  });

  it('reports a lost device, its recovery, and the end after too many losses', async () => {
    const page = await trainedPage();
    await page.evaluate(() =>
      window.fake.send({ type: 'recovery', step: 400, text: 'The GPU device was lost and replaced.' }),
    );
    await untilText(page, '#notices', 'The GPU device was lost and replaced\\.');
    // A crash of the GPU process may empty the canvases, again and again.
    await atBothWidths(page, async () => {
      await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' }));
      await page.waitForSelector('#curves canvas');
      for (const how of ['recovery', 'recovery', 'contextrestored']) {
        await page.evaluate((way) => {
          const canvas = document.querySelector('#curves canvas') as HTMLCanvasElement;
          canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
          if (way === 'recovery') window.fake.send({ type: 'recovery', step: 400, text: 'Lost again.' });
          else canvas.dispatchEvent(new Event(way));
        }, how);
        await page.waitForFunction(() => {
          const canvas = document.querySelector('#curves canvas') as HTMLCanvasElement;
          const image = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
          return image?.data.some((byte) => byte > 0);
        });
      }
    });
    const text = 'The GPU device was lost 3 times within a minute, so training has ended.';
    await page.evaluate((why) => {
      window.fake.send({
        type: 'state',
        state: 'failed',
        model: 'intl-en-es',
        step: 450,
        steps: 800,
        text: why,
      });
    }, text);
    await untilText(page, '.state', 'Failed');
    await untilText(page, '#notices .bad', text);
    expect(await axeViolations(page)).toEqual([]);
    await shown?.screenshot('train-1280-light-failed');
    await page.waitForSelector('#start:not([hidden], [disabled])'); // another training can be started
  });

  itInFull('asks before replacing a model of the same name', async () => {
    const page = await openPage();
    await page.evaluate(() => window.fake.fail('start', { kind: 'exists', message: 'there' }));
    await page.locator('#start').click();
    await page.waitForSelector('dialog[open]');
    await press(page, 'Keep both');
    await untilText(page, '.state', 'Training');
    const started = (await calls(page, 'start')) as [{ name: string }, { replace: boolean }][];
    expect(started.map(([s, o]) => [s.name, o.replace])).toEqual([
      ['intl-en-es', false],
      ['intl-en-es-2', false],
    ]);
  });

  it('shows the error if it cannot start', async () => {
    const page = await openPage();
    const errors = {
      locked: 'Another tab trains intl-en-es.',
      memory: 'The GPU has no room for 3.1 GiB.',
      quota: 'The browser has no room left.',
    };
    for (const [kind, message] of Object.entries(errors) as [keyof typeof errors, string][]) {
      await page.evaluate((error) => window.fake.fail('start', error), { kind, message });
      await page.waitForSelector('#start:not([hidden], [disabled])');
      await page.$eval('#foot', (e) => e.scrollIntoView({ behavior: 'instant' }));
      await page.locator('#start').click();
      await untilText(page, '#notices .bad', message);
      await page.waitForFunction(() => {
        const { top = -1, bottom = 0 } =
          document.querySelector('#notices .bad')?.getBoundingClientRect() ?? {};
        return top >= 0 && bottom <= window.innerHeight;
      });
    }
  });
});

describe('after a reload', () => {
  it('offers to resume the unfinished training', async () => {
    const page = await openPage();
    await untilText(page, '#notices', 'intl-en-fr stopped at step 420 of 800');
    await press(page, 'Resume training');
    await untilText(page, '.state', 'Training');
    expect(await calls(page, 'resume')).toEqual([['intl-en-fr', {}]]);
  });
});

describe('the translate panel', () => {
  it('shows tokens, hypotheses and attention', async () => {
    const page = await openPage();
    await train(page);
    await page.locator('#translate-box input[value="beam"]').click();
    await page.locator('#translate').click();
    // The page has translated greedily on its own before.
    await page.waitForFunction(() =>
      window.fake.calls.some(({ args }) => JSON.stringify(args).includes('"beam"')),
    );
    await untilText(page, '#translation', '^martes , 4 de marzo de 2025$');
    await page.waitForFunction(
      () => document.querySelector('#translate-box [data-rows="8"][data-columns="6"]') !== null,
    );
    expect((await calls(page, 'translate')).at(-1)).toEqual([
      'Tuesday, 4 March 2025',
      { method: 'beam', attention: true, bySentence: false, beams: 4, numReturn: 4, lengthPenalty: 0.6 },
    ]);
    const rows = () => page.$$eval('#translate-box .heat-row', (labels) => labels.map((l) => l.textContent));
    expect(await rows()).toEqual([...'martes , 4 de marzo de 2025'.split(' '), '[end]']);
    // The map is that of the translation shown, the best or another one.
    await page.locator('.others li:nth-child(2) button').click();
    await untilText(page, '#translation', '^martes 4 de marzo$');
    expect(await rows()).toEqual([...'martes 4 de marzo'.split(' '), '[end]']);
    await page.locator('.others li:first-child button').click();
    await page.$eval('.heat', (e) => (e as SVGElement).focus());
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight'] as const) await page.keyboard.press(key);
    await untilText(page, '.readout', '“4” → “,”: ');
    const averaged = await text(page, '.readout');
    await page.select('.heat-choice select', '1');
    expect(await text(page, '.readout')).not.toBe(averaged);
    expect(await page.$$eval('#translate-box details li', (items) => items.length)).toBe(8);
  });

  it('sends sampling options, and rejects invalid ones', async () => {
    const page = await trainedPage();
    await page.locator('#translate-box input[value="sample"]').click();
    await fillField(page, 'Top p', '2');
    await page.locator('#translate').click();
    await page.waitForSelector('#translate-box [aria-invalid]');
    expect(await calls(page, 'translate')).toHaveLength(0);
    await fillField(page, 'Top p', '0.9');
    await fillField(page, 'Temperature', '0.7');
    await page.locator('#translate').click();
    await untilText(page, '#translation', 'martes');
    expect((await calls(page, 'translate')).at(-1)?.[1]).toEqual({
      method: 'sample',
      attention: true,
      bySentence: false,
      temperature: 0.7,
      topK: 0,
      topP: 0.9,
      seed: 0,
    });
  });

  it('streams tokens, and can be cancelled', async () => {
    const page = await trainedPage();
    await page.locator('#translate-text').fill('endless');
    await page.keyboard.press('Enter');
    await untilText(page, '#translation', '^the first piece$');
    await press(page, 'Cancel');
    await untilText(page, '#translate-box [role="status"]', '^Cancelled\\.$');
    expect(await page.$eval('#translation', (e) => e.textContent)).toBe('the first piece');
  });

  itInFull('offers the languages of a multilingual model', async () => {
    const page = await openPage();
    expect(await page.$eval('#languages', (e) => (e as HTMLElement).hidden)).toBe(true);
    await page.evaluate(() => {
      const codes = ['fra_Latn', 'eng_Latn', 'zsm_Latn'];
      window.fake.languages = { codes, source: 'eng_Latn', target: undefined };
    });
    await train(page);
    const names = (select: string) => page.$$eval(`${select} option`, (all) => all.map((o) => o.textContent));
    await page.waitForFunction(() => document.querySelectorAll('#languages option').length === 7);
    const [source, target] = ['#languages .field:first-child select', '#languages .field:last-child select'];
    expect((await names(source)).join()).toMatch(/^English.* \(eng_Latn\),French.* \(fra_Latn\),/);
    expect((await names(target))[0]).toBe('Select a language');
    expect(await page.$eval(source, (e) => (e as HTMLSelectElement).value)).toBe('eng_Latn');
    await page.select(target, 'fra_Latn');
    await page.locator('#translate').click();
    await untilText(page, '#translation', 'martes');
    const sent = (await calls(page, 'translate')).at(-1)?.[1];
    expect(sent).toEqual({
      method: 'greedy',
      attention: true,
      bySentence: true,
      sourceLang: 'eng_Latn',
      targetLang: 'fra_Latn',
    });
    expect(await page.$eval('#translation', (e) => (e as HTMLElement).lang)).toBe('fra-Latn');
  });
});

describe('the models', () => {
  itInFull('are not deleted after Escape, nor while another tab trains them', async () => {
    const page = await openPage();
    await press(page, 'Delete intl-en-fr');
    await page.waitForSelector('dialog[open]');
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    expect(await calls(page, 'remove')).toEqual([]);
    expect(await text(page, '[data-model="tatoeba"]')).toContain('training in another tab');
    expect(await page.$eval('[aria-label="Delete tatoeba"]', (b) => (b as HTMLButtonElement).disabled)).toBe(
      true,
    );
  });

  it('are renamed', async () => {
    const page = await samePage();
    await press(page, 'Rename intl-en-fr');
    await page.waitForSelector('dialog[open]');
    await page.locator('dialog input').fill('french');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-model="french"]');
    expect(await calls(page, 'rename')).toEqual([['intl-en-fr', 'french']]);
    expect(await page.$('[data-model="intl-en-fr"]')).toBeNull();
  });

  it('are trained for more steps, and copied', async () => {
    const page = await samePage();
    await page.evaluate(() => {
      window.fake.models = window.fake.models.map((m) => ({ ...m, unfinished: false, lock: 'free' }));
      window.fake.send({ type: 'state', state: 'stopped', model: '', step: 0, steps: 0, text: '' });
    });
    await press(page, 'Train more steps with tatoeba');
    await page.waitForSelector('dialog[open]');
    await press(page, 'OK');
    await untilText(page, '.state', 'Training');
    expect(await calls(page, 'resume')).toEqual([['tatoeba', { steps: 1600 }]]);
    await press(page, 'Copy tatoeba under another name');
    await page.waitForSelector('dialog[open]');
    await press(page, 'OK');
    await page.waitForFunction(() => window.fake.calls.some((c) => c.name === 'save'));
    expect(await calls(page, 'save')).toEqual([['tatoeba', 'tatoeba-copy']]);
  });
});

describe('a model from the hub', () => {
  itInFull('is downloaded with the keyboard, shows progress, and can be cancelled', async () => {
    const page = await openPage();
    await (await page.waitForSelector('#hub-model'))?.focus();
    await page.keyboard.type('me/endless');
    await page.keyboard.press('Enter');
    await untilText(page, '#hub-bytes', '47\\.7 MiB of 190\\.7 MiB · model\\.safetensors');
    const bar = await page.$eval('progress[aria-label="Download progress"]', (e) => [
      (e as HTMLProgressElement).value,
      e.getAttribute('aria-valuetext'),
    ]);
    expect(bar).toEqual([0.25, '47.7 MiB of 190.7 MiB · model.safetensors']);
    expect(await axeViolations(page)).toEqual([]);
    await shown?.screenshot('train-hub');
    // The Cancel button has the focus.
    await page.keyboard.press('Enter');
    await untilText(
      page,
      '#hub-note',
      '^Cancelled\\. The next download continues from the part that is already here\\.$',
    );
    await page.waitForFunction(() => document.activeElement?.id === 'hub-fetch');
    expect(await page.$$eval('#models progress:not([hidden])', (all) => all.length)).toBe(0);
    // The incomplete download can be deleted.
    await press(page, 'Delete the incomplete download of endless');
    await page.waitForFunction(() => !document.querySelector('[data-partial]'));
    expect(await calls(page, 'removePartial')).toEqual([['endless']]);
  });

  itInFull('reports errors and success', async () => {
    const page = await openPage();
    await page.locator('#hub-fetch').click();
    await untilText(page, '#hub-note.wrong', '^Enter a model');
    await page.evaluate(() => window.fake.fail('pull', { kind: 'user', message: 'There is no hub.' }));
    await (await page.waitForSelector('#hub-model'))?.type(' me/it ');
    await page.locator('#hub-fetch').click();
    await untilText(page, '#hub-note.wrong', '^There is no hub\\.$');
    expect(await axeViolations(page)).toEqual([]);
    await page.locator('#hub-fetch').click();
    await untilText(page, '#models-message', 'it was downloaded. Load it to translate with it');
    expect((await calls(page, 'pull')).at(-1)).toEqual(['me/it', new URL('hub', page.url()).href]);
  });
});

/**
 * Which states axe checks in which theme; in test:full all of them. Themes and widths share the structure of
 * the page.
 */
const themesOf = (width: number, when: string): readonly ('light' | 'dark')[] =>
  process.env.HEDDLE_FULL || (width === 1280 && when === 'after')
    ? ['light', 'dark']
    : [(width === 390) === (when === 'during') ? 'light' : 'dark'];

describe('accessibility', () => {
  it.each(process.env.HEDDLE_FULL ? [1280, 390] : [390])(
    'passes axe and fits its width before, during and after a training: %i px',
    async (width) => {
      const size = { width, height: width === 390 ? 844 : 900 };
      const page = await openPage(size);
      const look = async (when: string) => {
        // With all curves, and what is for engineers.
        await page.evaluate(() => {
          document.documentElement.toggleAttribute('data-engineers', true);
          document.getElementById('more-curves')?.setAttribute('open', '');
        });
        for (const theme of themesOf(width, when)) {
          await shown?.view({ ...size, theme });
          expect(await axeViolations(page), `${when}, ${theme}`).toEqual([]);
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
            when,
          ).toBe(0);
          await page.evaluate(async () => {
            // Charts are drawn when they are visible; the first one loads uPlot.
            for (const chart of document.querySelectorAll('#curves figure:not([hidden]) .chart')) {
              chart.scrollIntoView({ behavior: 'instant' });
              for (let i = 0; i < 4 || (i < 200 && !chart.querySelector('canvas')); i++)
                await new Promise(requestAnimationFrame);
            }
            window.scrollTo({ top: 0, behavior: 'instant' });
          });
          const drawn = await page.$$eval('#curves figure:not([hidden]) .chart', (charts) =>
            charts.map((c) => c.querySelector('canvas') !== null),
          );
          // Before a training the curves are those of the recorded run, whose log has no step times.
          expect(drawn).toEqual(Array(when === 'before' ? 7 : 8).fill(true));
          await shown?.screenshot(`train-${width}-${theme}-${when}`);
        }
      };
      // The charts are shown with the recorded run.
      expect(await page.$$eval('#curves .chart', (charts) => charts.some((c) => c.checkVisibility()))).toBe(
        false,
      );
      await page.$eval('#curves-card', (e) => e.scrollIntoView({ behavior: 'instant' }));
      await untilText(page, '#recorded', '^A recorded run');
      await look('before');
      await train(page);
      await look('during');
      await page.evaluate(() => {
        window.fake.train(350, 50);
        const done = { state: 'done', model: 'intl-en-es', step: 800, steps: 800, text: '' } as const;
        window.fake.send({ type: 'state', ...done });
      });
      await untilText(page, '.state', 'Done');
      await page.locator('#translate').click(); // the locator waits until the layout is stable
      await page.waitForSelector('.heat-cells');
      await page.$$eval('details', (all) => {
        for (const one of all) one.open = true;
      });
      await look('after');
    },
  );

  itInFull('switches the theme, and keeps it after a reload', async () => {
    const page = await samePage();
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.locator('.theme').click();
    await page.locator('.theme').click();
    expect(await ground()).not.toBe(light);
    await page.reload();
    await planned(page);
    expect(await ground()).not.toBe(light);
    expect(await page.$eval('.theme', (b) => b.getAttribute('aria-label'))).toBe('Colours: dark');
    await page.locator('.theme').click(); // back to the system theme, for the following tests
    expect(await ground()).toBe(light);
  });

  it('announces each tenth to screen readers, not each step', async () => {
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
    await untilText(page, '#run [role="status"]', 'percent');
    const spoken = await page.evaluate(() => (window as unknown as { spoken: string[] }).spoken);
    expect(spoken.length).toBeGreaterThan(1);
    expect(spoken.length).toBeLessThan(10);
  });
});

describe('without WebGPU', () => {
  let lacking: DemoPage | undefined;
  afterEach(async () => {
    expect(lacking?.errors).toEqual([]);
    await lacking?.page.close();
  });

  it('explains how to enable WebGPU', async () => {
    lacking = await open('train.html', {
      before: () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
    });
    const { page } = lacking;
    await page.waitForSelector('.webgpu-problem');
    expect(await text(page, '.webgpu-problem')).toMatch(
      /does not support WebGPU[\s\S]*Chrome or Edge: how to enable WebGPU[\s\S]*chrome:\/\/flags/,
    );
    // A recorded run instead of an empty page: curves, samples, attention over the steps, and example pairs.
    await untilText(page, '#recorded', 'A recorded run: English to Spanish.*800 steps');
    await untilText(page, '#probe-where', 'step 800');
    expect(await page.$$eval('.samples tbody tr', (rows) => rows.length)).toBe(8);
    const last = await text(page, '.next-tokens');
    await page.$eval('#probe-step', (e) => {
      (e as HTMLInputElement).value = '0';
      e.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await untilText(page, '#probe-where', 'step 0');
    expect(await text(page, '.next-tokens')).not.toBe(last);
    expect(await page.$$eval('.map', (maps) => maps.length)).toBe(3 * 2 * 4);
    expect(await text(page, '#webgpu-problem .examples')).toContain('Te quiero.');
    expect(await page.$('#setup')).toBeNull();
    expect(await axeViolations(page)).toEqual([]);
    await lacking.screenshot('train-no-webgpu');
  });

  it('distinguishes a missing adapter from missing WebGPU', async () => {
    lacking = await open('train.html', {
      before: () => {
        GPU.prototype.requestAdapter = () => Promise.resolve(null);
      },
    });
    await lacking.page.waitForSelector('.webgpu-problem');
    expect(await text(lacking.page, '.webgpu-problem')).toContain('found no GPU adapter');
  });
});

describe('a training whose steps take twice as long', () => {
  it('says so, and offers to rest, to evaluate less often and to halve the batch', async () => {
    const page = await trainedPage();
    const slower = async () => {
      await page.evaluate(() => window.fake.send({ type: 'slower', times: 2.4 }));
      await untilText(page, '#notices', 'A step takes 2.4 times as long as at the start');
    };
    await slower();
    await press(page, 'Rest after each step');
    await slower();
    await press(page, 'Evaluate every 400 steps');
    await slower();
    await press(page, 'Go on with half the batch');
    await page.waitForFunction(() => window.fake.calls.some(({ name }) => name === 'resume'));
    const made = ['rest', 'change', 'stop', 'resume'].map((name) => calls(page, name));
    expect(await Promise.all(made)).toEqual([
      [[1]],
      [[{ evalSteps: 400 }]],
      [[]],
      [['intl-en-es', { batchSize: 32 }]],
    ]);
  });
});
