// What visitors of the training page have tripped over, with a fake worker, on a wide screen and on a phone.
import type { Page } from 'puppeteer';
import { afterEach, describe, expect, it } from 'vitest';
import { axeViolations } from '../support/axe.ts';
import { type DemoPage, demo, fillField, pastePairs, untilText } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { mainThreadTasks } from '../support/main-thread.ts';
import { waitLimit } from '../support/time-limits.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

const shown = new Map<number, DemoPage>();
afterEach(() => {
  for (const { errors } of shown.values()) expect(errors.splice(0)).toEqual([]);
});

async function visit(width: number): Promise<Page> {
  const view = { width, height: width < 800 ? 844 : 900 };
  let opened = shown.get(width);
  if (opened) await opened.page.reload();
  else {
    opened = await open('train.html', { before: fakeWorker, ...view });
    shown.set(width, opened);
  }
  await opened.page.bringToFront();
  await planned(opened.page);
  return opened.page;
}
/** The page as the test before has left it, with its calls forgotten: for tests that need no reload. */
async function samePage(width: number): Promise<Page> {
  const page = shown.get(width)?.page ?? (await visit(width));
  await page.bringToFront();
  await page.evaluate(() => window.fake.forgetCalls());
  return page;
}
/** The page with a training at step 400 of 800: that of the test before, if one is running. */
async function trainedPage(width: number): Promise<Page> {
  const page = await samePage(width);
  if (/step 400 of 800/.test(await page.$eval('#run', (e) => e.textContent ?? ''))) return page;
  await visit(width);
  await page.locator('#start').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate(() => window.fake.train(400, 50));
  await untilText(page, '#run', 'step 400 of 800');
  return page;
}
const planned = (page: Page) =>
  page.waitForFunction(() => {
    const plan = document.querySelector('#plan-summary');
    return plan?.firstChild && !plan.hasAttribute('aria-busy');
  });
const calls = (page: Page, name: string) =>
  page.evaluate((n) => window.fake.calls.filter((c) => c.name === n).map((c) => c.args), name);
/** Whether an element is in the window, and not under another one. */
const onScreen = (page: Page, selector: string) =>
  page.$eval(selector, (e) => {
    const { left, top, bottom, width } = e.getBoundingClientRect();
    const above = document.elementFromPoint(left + Math.min(4, width / 2), (top + bottom) / 2);
    return width > 0 && top >= 0 && bottom <= window.innerHeight && e.contains(above);
  });
const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

/** What the worker says of a finished run. */
const finishedRun = {
  state: 'done' as const,
  step: 800,
  steps: 800,
  best: {},
  seconds: 61,
  tokensPerSecond: 41_000,
  mfu: 0.42,
  adapter: 'chrome fake-gpu',
  parameters: 781_144,
  targetVocabulary: 8000,
};

/** What long visits do is the same at both widths; a phone has less room. */
const widths = process.env.HEDDLE_FULL ? [1280, 390] : [390];

describe.each(widths)('at %i px', (width) => {
  it('answers with a model of the page and shows three example pairs', async () => {
    const page = await visit(width);
    await untilText(page, '#translation', '^martes');
    expect(await calls(page, 'load')).toMatchObject([['English → Spanish', { step: 12_720 }]]);
    const [[, { url }]] = (await calls(page, 'load')) as [[string, { url: string }]];
    const bytes = await page.evaluate(async (u) => (await (await fetch(u)).arrayBuffer()).byteLength, url);
    expect(bytes).toBeLessThan(4e6);
    expect(await page.$$eval('.try li', (pairs) => pairs.map((p) => p.textContent))).toHaveLength(3);
    // It is the first panel, and within two screens; Start is always on the screen.
    expect(await page.$eval('main .card:not([hidden])', (card) => card.id)).toBe('translate-card');
    const bottom = await page.$eval('#translate', (e) => e.getBoundingClientRect().bottom + window.scrollY);
    expect(bottom).toBeLessThan(2 * (page.viewport()?.height ?? 0));
    expect(await onScreen(page, '#start')).toBe(true);
    await page.locator('[data-demo="en-ar"]').click();
    await page.waitForFunction(() => document.querySelector('#translation')?.getAttribute('lang') === 'ar');
    expect(await page.$eval('.try', (e) => e.textContent)).toContain('الثلاثاء، 4 مارس 2025');
  });

  itInFull(
    'keeps state, progress, Pause and Stop on the screen while training, wherever the page is scrolled',
    async () => {
      const page = await trainedPage(width);
      const sizes = width > 800 ? '821x900 1280x600 1280x900' : '820x844 844x390 390x844';
      const cards = await page.$$eval('main .card:not([hidden])', (all) =>
        all.map((card) => card.querySelector('h2')?.id),
      );
      expect(cards.length).toBeGreaterThan(7);
      for (const size of sizes.split(' ')) {
        const [across = 0, height = 0] = size.split('x').map(Number);
        await page.setViewport({ width: across, height });
        for (const place of ['top', 'bottom', ...cards.filter(Boolean)]) {
          await page.evaluate((id) => {
            const heading = document.getElementById(id ?? '');
            if (heading) heading.scrollIntoView({ block: 'start', behavior: 'instant' });
            else window.scrollTo({ top: id === 'top' ? 0 : document.body.scrollHeight, behavior: 'instant' });
          }, place);
          for (const seen of ['.state', '#pause', '#stop', '#run progress'])
            expect(await onScreen(page, seen), `${seen} at ${place}, ${size}`).toBe(true);
        }
      }
      // Headings that are scrolled to are not hidden under the panel, from above or from below.
      for (const block of ['start', 'end'] as const) {
        await page.$eval(
          '#samples-title',
          (e, to) => e.scrollIntoView({ block: to, behavior: 'instant' }),
          block,
        );
        expect(await onScreen(page, '#samples-title'), block).toBe(true);
      }
    },
  );

  it('shows the attention of the output on the page, also during a training', async () => {
    const page = await trainedPage(width);
    await page.locator('#translate-box input[value="beam"]').click();
    // Above the panel at the bottom of a phone.
    await page.$eval('#translate', (e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
    await page.locator('#translate').click();
    const rows = () => page.$$eval('#translate-box .heat-row', (labels) => labels.map((l) => l.textContent));
    for (const [n, output] of [
      [2, 'martes 4 de marzo'],
      [1, 'martes , 4 de marzo de 2025'],
    ] as const) {
      const choice = await page.waitForSelector(`.others li:nth-child(${n}) button`);
      await choice?.evaluate((button) => (button as HTMLButtonElement).click()); // the page may still be scrolling
      await untilText(page, '#translation', `^${output}$`);
      expect(await rows()).toEqual([...output.split(' '), '[end]']);
    }
  });

  it('shows the whole attention of a long pair, or says that there is more', async () => {
    const page = await trainedPage(width);
    const show = async (tokens: number) => {
      await page.evaluate((n) => {
        const words = Array.from(
          { length: n },
          (_, i) => [' token', ' of', ' words', 'ing'][i % 4] as string,
        );
        const weights = (rows: number, keys: number) =>
          btoa(String.fromCharCode(...Array.from({ length: 4 * rows * keys }, (_, i) => (i * 7) % 250)));
        const maps = (['encoder', 'decoder', 'cross'] as const).map(
          (kind) => ({ kind, layer: 0, heads: 4, weights: weights(n, n) }) as const,
        );
        const pair = { source: words, target: words, next: words.map((word) => [[word, 0.9]] as never) };
        window.fake.send({
          type: 'probe',
          probe: { type: 'probe', step: 400 + n, attention: maps, ...pair } as never,
        });
      }, tokens);
      await untilText(page, '#probe-where', `step ${400 + tokens}`);
      await page.$eval('#inside-card', (e) => e.scrollIntoView({ behavior: 'instant' }));
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))));
      return page.$eval('#inside .heat-scroll', (e) => [
        e.scrollWidth > e.clientWidth,
        document.querySelector('#inside .heat-cue')?.checkVisibility(),
      ]);
    };
    expect(await show(14)).toEqual([false, false]);
    expect(await page.$eval('#probe-map', (e) => e.textContent)).toBe('Cross-attention, layer 1, head 1');
    expect(await show(60)).toEqual([true, true]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.evaluate(() => {
      const weights = btoa('\xff\x00\x00\xff');
      const attention = [{ kind: 'encoder', layer: 0, heads: 1, weights }];
      const pair = { source: ['a', 'b'], target: ['x', 'y'], next: [] };
      const gates = [{ layer: 0, channels: 3, values: btoa('\xff\xff\xff\x00\x33\x66') }];
      window.fake.send({
        type: 'probe',
        probe: { type: 'probe', step: 700, attention, gates, ...pair } as never,
      });
    });
    await page.locator('#inside [data-map="gates 0 0"]').click();
    await untilText(page, '#probe-map', '^Decoder gates, layer 1$');
    await untilText(page, '#inside .numbers tbody', 'x\\s*100.*y\\s*20');
    expect(await page.$$eval('#inside .maps .hint', (all) => all.length)).toBe(2);
  });

  it('shows the progress in the title', async () => {
    const page = await trainedPage(width);
    await page.waitForFunction(() => document.title.startsWith('50 % · '));
  });

  itInFull(
    'shows seconds while a lost device is replaced, and leaves the first update out of the rate',
    async () => {
      const page = await trainedPage(width);
      await page.evaluate(() =>
        window.fake.send({
          type: 'state',
          state: 'recovering',
          model: 'x',
          step: 100,
          steps: 800,
          text: 'lost',
        }),
      );
      await untilText(page, '.state', 'recovering, \\d+ s$');
      const before = await page.$eval('#now-step-time', (e) => e.textContent);
      await page.evaluate(() => {
        const step = {
          type: 'step',
          step: 101,
          loss: 123456.7,
          accuracy: 0,
          learningRate: 1,
          gradientNorm: 1,
          tokens: 9,
        };
        const slow = { ...step, tokensPerSecond: 1, seconds: 9, stepMs: 9e9, first: true } as const;
        window.fake.send({ type: 'steps', steps: [slow as never] });
      });
      await untilText(page, '#now-loss', '1\\.23e\\+5');
      expect(await page.$eval('#now-step-time', (e) => e.textContent)).toBe(before);
      // Another loss of the device: its seconds are counted from the start. The clock goes on by minutes before, since
      // on a busy machine a second may pass unseen.
      await page.evaluate(() => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + 200_000;
      });
      await untilText(page, '.state', 'recovering, 2\\d\\d s$');
      await page.evaluate(() => {
        const event = { type: 'state', model: 'x', step: 101, steps: 800 } as const;
        window.fake.send({ ...event, state: 'training', text: '' });
        window.fake.send({ ...event, state: 'recovering', text: 'lost again' });
      });
      await untilText(page, '#run .why', '^lost again$');
      await untilText(page, '.state', 'recovering, \\d\\d? s$');
    },
  );

  it('keeps large numbers apart from each other', async () => {
    const page = await trainedPage(width);
    for (const [loss, shown] of [
      [123456.7, '1\\.23e\\+5'],
      [98765432109876, '9\\.88e\\+13'],
      [12345.678, '12,?346|1\\.23e\\+4'],
    ] as const) {
      await page.evaluate((value) => {
        const numbers = { loss: value, accuracy: 1, learningRate: 1.2345e-7, gradientNorm: 1e9, mfu: 0.987 };
        const step = {
          type: 'step',
          step: 402,
          tokens: 1e9,
          tokensPerSecond: 123_456_789,
          seconds: 9,
          stepMs: 987_654.3,
        };
        window.fake.send({ type: 'steps', steps: [{ ...step, ...numbers } as never] });
      }, loss);
      await untilText(page, '#now-loss', `^(${shown})$`);
      const overlaps = await page.$$eval('.figures > div', (all) => {
        // The boxes of the text itself, which can be wider than its element.
        const boxes = all.flatMap((figure) =>
          [...figure.children].map((part) => {
            const range = document.createRange();
            range.selectNodeContents(part);
            return { text: part.textContent, ...range.getBoundingClientRect().toJSON() };
          }),
        );
        return boxes.flatMap((a, i) =>
          boxes
            .slice(i + 1)
            .filter(
              (b) =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1,
            )
            .map((b) => `${a.text} and ${b.text}`),
        );
      });
      expect(overlaps).toEqual([]);
    }
  });
});

describe.each(widths)('the form at %i px', (width) => {
  itInFull(
    'queues a press of Start right after an edit, and shows the stage; curves have no empty boxes',
    async () => {
      const page = await visit(width);
      await page.waitForSelector('#translate-box .heat-cells'); // it is gone when the training starts
      await fillField(page, 'Learning rate', '0.0021');
      await page.evaluate(() => {
        window.scrollTo({ top: 900, behavior: 'instant' });
        document.getElementById('start')?.click();
      });
      await untilText(page, '.state', 'Training');
      expect(await calls(page, 'start')).toMatchObject([[{ settings: { learningRate: 0.0021 } }, {}]]);
      await page.waitForFunction(() => {
        const at = document.querySelector('#learning-stage')?.getBoundingClientRect().top ?? -1;
        return at >= 0 && at < window.innerHeight / 2;
      });
      await page.evaluate(() => new Promise((done) => setTimeout(done, 300))); // it stays there
      expect(await onScreen(page, '.stage-verdict')).toBe(true);
      const charts = () =>
        page.$$eval('#curves .chart', (all) => all.filter((c) => c.checkVisibility()).length);
      expect(await charts()).toBe(0);
      expect(await page.$eval('#curves > * > .hint', (e) => e.checkVisibility() && e.textContent)).toMatch(
        /with its first update/,
      );
      await page.evaluate(() => window.fake.train(1, 50));
      await page.waitForFunction(() => document.querySelector('#curves .chart')?.checkVisibility());
    },
  );

  itInFull(
    'drops the forecast if the number of pairs is corrected, and says that it plans again',
    async () => {
      const page = await visit(width);
      await page.evaluate(() => window.fake.delayDescribe(true));
      await fillField(page, 'Pairs', '1000000');
      await page.waitForFunction(() =>
        JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('1000000'),
      );
      expect(await page.$eval('#corpus-summary', (e) => e.getAttribute('aria-busy'))).toBe('true');
      await untilText(page, '.state', '^Planning$');
      await fillField(page, 'Pairs', '2000');
      await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('2000'));
      expect(await page.$eval('#start', (b) => (b as HTMLButtonElement).disabled)).toBe(false);
      await page.evaluate(() => window.fake.delayDescribe(false));
      await planned(page);
      await page.locator('#start').click();
      await untilText(page, '.state', 'Training');
      expect(await calls(page, 'start')).toMatchObject([[{ corpus: { pairs: 2000 } }, {}]]);
    },
  );

  itInFull(
    'says how far a large file is read, in place of the numbers of another corpus, and can be cancelled',
    async () => {
      const page = await visit(width);
      await page.evaluate(() => {
        window.fake.delayDescribe(true);
        const files = new DataTransfer();
        files.items.add(new File(['a\tb\n'.repeat(80_000)], 'huge.tsv'));
        const event = new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true });
        document.body.dispatchEvent(event);
      });
      await untilText(page, '#corpus-summary', '^Reading huge\\.tsv \\(312\\.5 KiB\\)…\\s*Cancel$');
      expect(await page.$eval('#plan-summary', (e) => e.textContent)).toBe('');
      await page.evaluate(() =>
        window.fake.send({ type: 'progress', task: 'read', done: 40, total: 112, text: 'MB' }),
      );
      await untilText(page, '#reading', 'Reading huge\\.tsv.* 35\\.7 % \\(read\\)');
      await untilText(page, '#run', 'Reading huge\\.tsv');
      await press(page, 'Cancel');
      await untilText(page, '#corpus-summary', 'Select or drop a file');
      await page.evaluate(() => window.fake.delayDescribe(false));
      expect(await page.$('#reading')).toBeNull();
    },
  );

  itInFull(
    'shows a rejected name in its dialog, keeps what was typed, and shows messages at the list',
    async () => {
      const page = await visit(width);
      await press(page, 'Rename intl-en-fr');
      await page.waitForSelector('dialog[open]');
      await page.locator('dialog input').fill('tatoeba');
      await page.keyboard.press('Enter');
      await untilText(page, 'dialog .wrong', 'A model named “tatoeba” exists');
      expect(await page.$eval('dialog input', (e) => (e as HTMLInputElement).value)).toBe('tatoeba');
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => !document.querySelector('dialog'));
      await page.evaluate(() => window.fake.fail('load', { kind: 'user', message: 'It is broken.' }));
      await press(page, 'Load tatoeba to translate with it');
      await untilText(page, '#models-message', 'It is broken.');
      expect(await onScreen(page, '#models-message')).toBe(true);
    },
  );

  it('does not delete a model on Enter', async () => {
    const page = await samePage(width);
    await press(page, 'Delete intl-en-fr');
    await page.waitForSelector('dialog[open]');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    expect(await calls(page, 'remove')).toEqual([]);
  });

  it('trains ten pairs for hundreds of updates with an evaluation, and says how many are a start', async () => {
    const page = await visit(width);
    const lines = Array.from({ length: 10 }, (_, i) => `word ${i}\tpalabra ${i}`).join('\n');
    await pastePairs(page, lines);
    await page.waitForFunction(() =>
      JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('palabra 9'),
    );
    const [{ settings }] = (await calls(page, 'describe')).at(-1) as [{ settings: Record<string, number> }];
    expect(settings.epochs).toBeGreaterThanOrEqual(300);
    expect(settings.heldOut).toBe(0.1);
    expect(settings.evalSteps).toBe(100);
    expect(settings.batchSize).toBe(16); // without empty rows
    await page.evaluate(() => {
      window.fake.trainPairs = 8;
    });
    await fillField(page, 'Learning rate', '0.002');
    await untilText(page, '#run', '8 training pairs: .*About 1,000 pairs are a start');
  });

  it('takes 100,000 pasted lines without blocking', async () => {
    const page = await samePage(width);
    await page.locator('input[value="paste"]').click();
    await page.evaluate(() => {
      const text = Array.from({ length: 100_000 }, (_, i) => `this is line ${i}\testa es la línea ${i}`).join(
        '\n',
      );
      const transfer = new DataTransfer();
      transfer.setData('text/plain', text);
      Object.assign(window, { transfer });
    });
    const tasks = await mainThreadTasks(page, async () => {
      await page.evaluate(() => {
        const { transfer } = window as unknown as { transfer: DataTransfer };
        document
          .querySelector('#corpus textarea')
          ?.dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }),
          );
      });
      await untilText(page, '.picked', 'pasted text · [\\d.]+ MiB');
      await page.waitForFunction(() =>
        JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('pasted text'),
      );
    });
    expect(Math.max(...tasks)).toBeLessThan(1000); // CPU time: 6 s once, now 15 to 110 ms
  });

  itInFull('rejects two names of one language, and shows the length in the other unit', async () => {
    const page = await visit(width);
    const [source, target] = await page.$$('#corpus select');
    await source?.select('en');
    await target?.select('en-GB');
    await untilText(page, '#corpus-summary .wrong', 'both English');
    await target?.select('sr');
    await source?.select('sr-Latn'); // another script is another task
    await planned(page);
    expect(await page.$('#corpus-summary .wrong')).toBeNull();
    const epochs = await page.$('::-p-aria([name="Epochs"][role="spinbutton"])');
    expect(await epochs?.evaluate((e) => (e as HTMLInputElement).placeholder)).toBe('planned: 1.3');
  });

  itInFull('replaces a suggested sentence, and aligns right-to-left cells to the right', async () => {
    const page = await visit(width);
    await page.locator('#translate-text').click();
    await page.keyboard.type('mine');
    expect(await page.$eval('#translate-text', (e) => (e as HTMLTextAreaElement).value)).toBe('mine');
    await page.evaluate(() => {
      const sample = { source: 'one', reference: 'واحد', translation: 'واحد', exact: true };
      window.fake.send({ type: 'samples', step: 1, samples: [sample] });
    });
    await untilText(page, '.samples td[data-side="reference"]', 'واحد');
    const side = await page.waitForSelector('.samples td[data-side="reference"] > *');
    const gaps = await side?.evaluate((e) => {
      const text = document.createRange();
      text.selectNodeContents(e);
      const [inner, outer] = [text.getBoundingClientRect(), e.getBoundingClientRect()];
      return [outer.right - inner.right, inner.left - outer.left];
    });
    expect(gaps?.[0]).toBeLessThan(2);
    expect(gaps?.[1]).toBeGreaterThan(20);
  });

  it('fills the form with the settings that Resume continues', async () => {
    const page = await visit(width);
    await page.evaluate(() => {
      window.fake.history = {
        corpus: { kind: 'intl', source: 'en', target: 'fr', pairs: 5000, seed: 1 },
        settings: { preset: 'small', steps: 1234, learningRate: 0.0007, batchSize: 16 },
        steps: [],
        evals: [],
        samples: [],
        probes: [],
        changes: [],
        step: 420,
      };
    });
    await press(page, 'Resume training');
    await untilText(page, '.state', 'Training');
    const value = (name: string) =>
      page.$eval(`::-p-aria([name="${name}"][role="spinbutton"])`, (e) => (e as HTMLInputElement).value);
    const names = ['Steps', 'Learning rate', 'Batch size', 'Pairs'];
    await expect
      .poll(() => Promise.all(names.map(value)), { timeout: waitLimit })
      .toEqual(['1234', '0.0007', '16', '5000']);
  });

  it('asks before it is left during a training, and links to source and documentation', async () => {
    const page = await visit(width);
    const prevented = () =>
      page.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
    expect(await prevented()).toBe(false);
    await page.locator('#start').click();
    await untilText(page, '.state', 'Training');
    expect(await prevented()).toBe(true);
    const all = await page.$$eval('#foot a', (links) => links.map((a) => (a as HTMLAnchorElement).href));
    expect(all.length).toBe(4);
    // npm test builds without the documentation, test:full with it.
    const links = all.filter((link) => process.env.HEDDLE_FULL || !/\/docs\//.test(link));
    expect(links.length).toBeGreaterThan(0);
    const found = await page.evaluate(
      (urls) => Promise.all(urls.map(async (u) => (await fetch(u)).status)),
      links,
    );
    expect(found).toEqual(links.map(() => 200));
    expect(await page.$eval('#settings', (e) => e.textContent)).toContain(
      'Saved less often if saving takes over 2 % of the time',
    );
  });
});

describe.each(widths)('the loaded model at %i px', (width) => {
  itInFull(
    'disappears with its translation and attention when a training starts, as does the recorded run with its samples',
    async () => {
      const page = await visit(width);
      await untilText(page, '#translation', '^martes');
      await page.waitForSelector('#translate-box .heat-cells');
      await page.$eval('#curves-card', (e) => e.scrollIntoView({ behavior: 'instant' }));
      await untilText(page, '#samples', 'Step 800: 8 of 8 translations match');
      expect(await page.$eval('#recorded', (e) => e.textContent)).not.toMatch(/Mesa|deb\d/);
      expect(await page.$eval('.figures', (e) => e.checkVisibility())).toBe(false); // the run has no present values
      await page.locator('#start').click();
      await untilText(page, '.state', 'Training');
      await untilText(
        page,
        '#samples',
        '^Dev sentences, which are not trained on, appear here after the first evaluation',
      );
      await page.waitForFunction(() => document.querySelector('.figures')?.checkVisibility()); // in the next frame
      await untilText(page, '#translation', '^$');
      await page.waitForFunction(() => !document.querySelector('#translate-box .heat')?.checkVisibility());
    },
  );

  itInFull(
    'has its curves, settings and samples, stays when it is renamed, and is gone when it is deleted',
    async () => {
      const page = await visit(width);
      await untilText(page, '#translation', '^martes');
      await page.evaluate(() => {
        window.fake.history = {
          corpus: { kind: 'intl', source: 'en', target: 'fr', pairs: 5000, seed: 1 },
          settings: { preset: 'small', steps: 1234 },
          steps: [1, 2, 3].map((step) => ({ type: 'step', step, loss: 4 / step, gradientNorm: 1 })) as never,
          evals: [{ type: 'eval', part: 'dev', step: 3, loss: 1.625, seconds: 1 }],
          samples: [{ source: 'one', reference: 'un', translation: 'un', exact: true }],
          probes: [],
          changes: [],
          step: 3,
        };
      });
      await press(page, 'Load intl-en-fr to translate with it');
      await untilText(page, '#translate-box .tag', '^intl-en-fr$');
      await untilText(page, '#samples', '^Step 3: 1 of 1 translations match');
      expect(await page.$eval('#curves .numbers tbody', (e) => e.textContent)).toMatch(/^31\.625/);
      await page.evaluate(() => {
        document.documentElement.toggleAttribute('data-engineers', true);
        document.getElementById('more-curves')?.setAttribute('open', '');
      });
      await page.waitForFunction(
        () =>
          [...document.querySelectorAll('#curves .chart')].filter((c) => c.checkVisibility()).length === 3,
      );
      const steps = '::-p-aria([name="Steps"][role="spinbutton"])';
      expect(await page.$eval(steps, (e) => (e as HTMLInputElement).value)).toBe('1234');
      await press(page, 'Rename intl-en-fr');
      await page.waitForSelector('dialog[open]');
      await page.locator('dialog input').fill('french');
      await page.keyboard.press('Enter');
      await untilText(page, '#translate-box .tag', '^french$');
      expect(await page.$eval('#translate', (b) => (b as HTMLButtonElement).disabled)).toBe(false);
      await press(page, 'Delete french');
      await page.waitForSelector('dialog[open]');
      await press(page, 'Delete');
      await untilText(page, '#translate-box [role="status"]', '^No model is loaded\\.');
      expect(await page.$eval('#translate', (b) => (b as HTMLButtonElement).disabled)).toBe(true);
    },
  );
});

describe('pairs of the visitor', () => {
  itInFull('say how many are held out, and if none are', async () => {
    const page = await visit(390);
    await pastePairs(page, 'one\tuno\ntwo\tdos');
    await untilText(page, '#corpus-summary', 'dev pairs802'); // none for test
    await page.evaluate(() => Object.assign(window.fake, { trainPairs: 1, devPairs: 0 }));
    await fillField(page, 'Learning rate', '0.002');
    await untilText(page, '#run', '1 training pair: .* No pair is held out, so there is no evaluation\\.');
  });

  itInFull('are CSV if pasted text has commas and no tabs, and get a fitting number of updates', async () => {
    const page = await visit(390);
    const settingsOf = async (text: string) => {
      await pastePairs(page, text);
      const last = text.trim().split('\n').at(-1) as string;
      await page.waitForFunction(
        (line) =>
          String(JSON.parse(JSON.stringify(window.fake.calls.at(-1)?.args?.[0] ?? {})).corpus?.data).includes(
            line,
          ),
        {},
        last,
      );
      const [{ settings }] = (await calls(page, 'describe')).at(-1) as [{ settings: Record<string, number> }];
      return [settings.epochs, settings.heldOut];
    };
    const csv = (n: number) => Array.from({ length: n }, (_, i) => `"word, ${i}","palabra, ${i}"\n`).join('');
    expect(await settingsOf(csv(10))).toEqual([300, 0.1]);
    expect(await settingsOf(csv(499))).toEqual([38, 0.1]);
    expect(await settingsOf(csv(2000))).toEqual([10, 0.02]);
  });

  it('are stored as TSV, also those of a CSV file, for a training with the same settings', async () => {
    const page = await visit(390);
    await page.evaluate((run) => {
      window.fake.runs = [{ ...run, folder: 'words', settings: {}, final: { loss: 0.5 } }];
      window.fake.history = {
        ...window.fake.history,
        corpus: { kind: 'tsv', path: 'words.csv', keep: true },
      };
      window.fake.models = window.fake.models.slice(1);
      document.dispatchEvent(new Event('visibilitychange'));
    }, finishedRun);
    await page.waitForSelector('[data-run="words"]');
    await press(page, 'Reuse settings of words for a new training');
    await page.waitForFunction(() =>
      JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('words.tsv'),
    );
  });
});

describe.each(widths)('runs and sharing at %i px', (width) => {
  itInFull('compares runs by settings, curves, CSV and PNG, and trains the same again', async () => {
    const page = await visit(width);
    const settings = {
      preset: 'small',
      steps: 1234,
      learningRate: 0.0007,
      batchSize: 16,
      seed: 9,
      changes: '9 dropout=0.3',
    } as const;
    await page.evaluate(
      (settings, run) => {
        window.fake.runs = [
          { ...run, folder: 'fast', settings: { learningRate: 0.003 }, final: { loss: 0.51, bleu: 91.5 } },
          { ...run, folder: 'slow', settings: { learningRate: 0.0003 }, final: { loss: 1.25 }, mfu: null },
        ];
        const steps = [1, 2, 3].map((step) => ({
          type: 'step',
          step,
          loss: 4 / step,
          gradientNorm: 1,
          seconds: step,
        }));
        window.fake.history = {
          corpus: { kind: 'task', task: 'sort', pairs: 5000, seed: 3 },
          settings,
          steps: steps as never,
          evals: [{ type: 'eval', part: 'dev', step: 3, loss: 1.5, seconds: 1 }],
          samples: [],
          probes: [],
          changes: [{ type: 'change', step: 9, dropout: 0.3 }],
          step: 3,
        };
        window.fake.models = window.fake.models.slice(1); // the list changes, so the runs are read again
        document.dispatchEvent(new Event('visibilitychange'));
      },
      settings,
      finishedRun,
    );
    await untilText(
      page,
      '[data-run="fast"]',
      'Learning rate: 0\\.003\\s*800done0\\.510091\\.501 min 1 s41,00042\\.0 %fake-gpu$',
    );
    // At the width of a usual screen all metrics are on it.
    if (width >= 1280)
      expect(await page.$eval('#runs .scroll', (e) => e.scrollWidth - e.clientWidth)).toBe(0);
    // On a phone a run is a block with the names of its values, and nothing is beyond the edge.
    const names = await page.$eval(
      '[data-run="fast"] td[data-name]',
      (e) => getComputedStyle(e, '::before').content,
    );
    expect(names).toBe(width === 390 ? '"settings"' : 'none');
    if (width === 390)
      expect(await page.$eval('#runs .scroll', (e) => e.scrollWidth - e.clientWidth)).toBe(0);
    await page.$eval('#runs', (e) => e.scrollIntoView({ behavior: 'instant' }));
    expect(await onScreen(page, '[data-run="fast"] button')).toBe(true); // also of a table that is wider than its place
    for (const name of ['fast', 'slow']) await page.locator(`[data-run="${name}"] input`).click();
    await page.waitForFunction(() => document.querySelector('#runs .chart')?.checkVisibility());
    await page.$eval('#runs .chart', (e) => e.scrollIntoView({ block: 'center', behavior: 'instant' })); // it is drawn
    await page.waitForSelector('#runs canvas');
    await untilText(page, '#runs .u-legend', 'fast.*slow');
    // The legend of the chart stays in a line.
    const [name, value] = await page.$$eval('#runs .u-legend tr:last-child > *', (cells) =>
      cells.map((cell) => cell.getBoundingClientRect().top),
    );
    expect(Math.abs((name as number) - (value as number))).toBeLessThan(5);
    const [curve] = await page.$$('#runs select');
    await curve?.select('eval.loss');
    await untilText(page, '#runs .chart > .unseen', 'fast: 1\\.5.* at step 3; slow: 1\\.5');
    // What is downloaded, without a file dialog.
    await page.evaluate(() => {
      const files: Blob[] = [];
      Object.assign(window, { files });
      URL.createObjectURL = (blob) => `blob:${files.push(blob as Blob)}`;
      HTMLAnchorElement.prototype.click = () => {};
    });
    await press(page, 'Download CSV');
    await press(page, 'Download PNG');
    await page.waitForFunction('files.length === 2');
    const [csv, type] = (await page.evaluate('Promise.all([files[0].text(), files[1].type])')) as [
      string,
      string,
    ];
    expect(csv.split('\n').slice(0, 2)).toEqual([
      'run,step,loss,accuracy,gradientNorm,updateRatio,learningRate,tokensPerSecond,mfu,seconds,dev loss,dev tokenAccuracy,dev bleu,dev chrf,dev exactMatch',
      '"fast",1,4,,1,,,,,1,,,,,',
    ]);
    expect([csv.split('\n').length, type]).toEqual([8, 'image/png']);
    // Scores on a file of pairs, in the page and as a report.
    expect(await page.$eval('#runs-evaluate', (e) => (e as HTMLButtonElement).disabled)).toBe(true);
    await page.evaluate(() => {
      const input = document.querySelector('#runs-pairs') as HTMLInputElement;
      const chosen = new DataTransfer();
      chosen.items.add(new File(['a tree\tun árbol\n'], 'dev.tsv'));
      input.files = chosen.files;
      input.dispatchEvent(new Event('change'));
    });
    // In the middle of the screen: the bar at its bottom would take the click.
    const toMiddle = (selector: string) =>
      page.$eval(selector, (e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
    await toMiddle('#runs-evaluate');
    await press(page, 'Evaluate the selected runs');
    await untilText(
      page,
      '#runs',
      'fast36\\.10 \\(36\\.10 ± 0\\.50\\).*slow35\\.10 \\(35\\.10 ± 0\\.50\\), p = 0\\.0480',
    );
    await page.$eval('#runs details', (e) => e.setAttribute('open', ''));
    await untilText(page, '#runs details', '1-9 words236\\.1057\\.20.*un gato.*BLEU\\|nrefs:1');
    expect((await calls(page, 'evaluate')).at(-1)?.[0]).toEqual(['fast', 'slow']);
    await toMiddle('#runs details + .row');
    await press(page, 'Download the report');
    expect(await page.evaluate('files[2].text()')).toBe('<p>scores');
    expect(await axeViolations(page)).toEqual([]);
    for (const theme of ['light', 'dark'] as const) {
      await shown.get(width)?.view({ width, height: 900, theme });
      await shown.get(width)?.screenshot(`runs-${width}-${theme}`);
    }
    await press(page, 'Reuse settings of fast for a new training');
    await page.waitForFunction(() => JSON.stringify(window.fake.calls.at(-1)?.args ?? '').includes('fast-2'));
    await untilText(
      page,
      '#notices',
      'fast was changed by hand: dropout 0.3 after step 9\\. A training with these settings',
    );
    expect((await calls(page, 'describe')).at(-1)).toMatchObject([
      {
        name: 'fast-2',
        corpus: { kind: 'task', task: 'sort', pairs: 5000, seed: 3 },
        settings,
      },
    ]);
    // The link says so too.
    await page.locator('#copy-link').click();
    await untilText(page, '#link-note', 'The address of this page is the link');
    await page.reload();
    await planned(page);
    await untilText(
      page,
      '#notices',
      'The run was changed by hand: dropout 0.3 after step 9\\. This training repeats these changes',
    );
    // The field of the form has the changes in words.
    expect(await page.$eval('#setting-changes', (e) => (e as HTMLInputElement).value)).toBe(
      'dropout 0.3 after step 9',
    );
    await page.evaluate(() => history.replaceState(null, '', location.pathname));
  });

  itInFull("challenges with a curve, which is grey behind one's own", async () => {
    const page = await visit(width);
    await page.evaluate(() => {
      window.fake.history = {
        ...window.fake.history,
        corpus: { kind: 'task', task: 'sort', pairs: 5000, seed: 3 },
        settings: { learningRate: 0.0007 },
        steps: Array.from({ length: 400 }, (_, i) => ({ type: 'step', step: i + 1, loss: 3 })) as never,
      };
    });
    await press(page, 'Load tatoeba to translate with it');
    await page.locator('#copy-challenge').click();
    await untilText(page, '#challenge-note', 'The address of this page is the challenge');
    const address = await page.evaluate(() => location.href);
    expect(address.length).toBeLessThan(1000);
    await page.reload();
    await planned(page);
    await untilText(page, '#comparison', 'Grey: the training in the link');
    await page.locator('#start').click();
    await untilText(page, '.state', 'Training');
    await page.evaluate(() => window.fake.train(300, 50));
    await untilText(
      page,
      '#comparison',
      'At step 300: your loss 0\\.\\d+, the training in the link 3\\.000, yours is lower',
    );
    await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' })); // drawn when it is visible
    await untilText(page, '#curves .u-legend', 'the training in the link.*training');
    await page.$eval('#more-curves', (more) => more.setAttribute('open', ''));
    // A term opens its sentence, which has a link to its chapter and is on the screen.
    await page.locator('[popovertarget="term-curves-BLEU"]').click();
    await page.waitForSelector('#term-curves-BLEU:popover-open');
    expect(await onScreen(page, '#term-curves-BLEU')).toBe(true);
    expect(await page.$eval('#term-curves-BLEU a', (link) => link.getAttribute('href'))).toBe(
      'learn.html#measuring',
    );
    await shown.get(width)?.screenshot(`term-${width}`);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector(':popover-open'));
    await page.$eval('#curves', (e) => e.scrollIntoView({ behavior: 'instant' }));
    for (const theme of ['light', 'dark'] as const) {
      await shown.get(width)?.view({ width, height: 900, theme });
      await shown.get(width)?.screenshot(`challenge-${width}-${theme}`);
    }
    await page.evaluate(() => {
      window.fake.send({ type: 'state', state: 'stopped', model: 'm', step: 300, steps: 800, text: '' });
      history.replaceState(null, '', location.pathname);
    });
  });

  it('changes settings during a training and trains single steps', async () => {
    const page = await trainedPage(width);
    expect(await page.$eval('#live label', (e) => e.textContent)).toBe('Maximum learning rate (linear)');
    const isOff = () => page.$eval('#apply-changes', (b) => (b as HTMLButtonElement).disabled);
    expect(await isOff()).toBe(true);
    await fillField(page, 'Dropout rate', '1.5');
    await page.locator('#apply-changes').click();
    await untilText(page, '#live-note.wrong', 'Dropout rate: ');
    await fillField(page, 'Dropout rate', '0.25');
    await page.locator('#apply-changes').click();
    await untilText(page, '#changes', 'After step 400: dropout 0.25');
    expect(await calls(page, 'change')).toEqual([[{ dropout: 0.25 }]]);
    expect(await isOff()).toBe(true);
    // The form has the change, so that its link and a training with its settings repeat it.
    const listed = '::-p-aria([name="Changes during the run"][role="textbox"])';
    await page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLInputElement>('#settings input')].some(
        ({ value }) => value === 'dropout 0.25 after step 400',
      ),
    );
    expect(await page.$(listed)).toBeNull(); // under Advanced
    expect(await page.$eval('#single-step', (b) => (b as HTMLButtonElement).hidden)).toBe(true);
    await page.locator('#pause').click();
    await untilText(page, '.state', 'Paused');
    await page.locator('#single-step').click();
    await untilText(page, '#run', 'step 401 of 800');
    expect([await onScreen(page, '#single-step'), await onScreen(page, '#stop')]).toEqual([true, true]);
    for (const theme of ['light', 'dark'] as const) {
      await shown.get(width)?.view({ width, height: 900, theme });
      await shown.get(width)?.screenshot(`live-${width}-${theme}`);
    }
    expect(await axeViolations(page)).toEqual([]);
  });

  itInFull('shares corpus, recipe and seed by address, and ignores a broken one with a message', async () => {
    const page = await visit(width);
    await page.locator('input[value="task"]').click();
    const [, , task] = await page.$$('#corpus select');
    await task?.select('dates');
    await fillField(page, 'Learning rate', '0.002');
    await fillField(page, 'Seed', '77');
    await page.locator('#copy-link').click();
    await untilText(page, '#link-note', 'The address of this page is the link');
    const [given] = (await calls(page, 'describe')).at(-1) as [{ corpus: object; settings: object }];
    expect(given).toMatchObject({
      corpus: { kind: 'task', task: 'dates' },
      settings: { learningRate: 0.002, seed: 77 },
    });
    const link = page.url();
    await page.reload();
    await planned(page);
    await untilText(page, '#notices', 'gives the same losses');
    expect((await calls(page, 'describe')).at(-1)).toEqual([{ ...given, name: 'dates' }]);
    // Another hash in the same tab.
    for (const [from, to, message] of [
      ['learningRate=0.002', 'learningRate=-1', 'learningRate is “-1”; it must be a number above 0'],
      ['task=dates', 'task=juggling', 'task is “juggling”; it must be reverse, sort'],
      ['seed=77', 'sead=77', 'there is no setting “sead”'],
      ['seed=77', `${'s'.repeat(5000)}=77`, 'there is no setting “s{40}”'],
      [
        /corpusSeed=\d+/,
        `corpusSeed=${'9'.repeat(5000)}`,
        'corpusSeed is “9{40}”; it must be an integer from 0 to 4294967295',
      ],
      ['corpus=task', `corpus=${'x'.repeat(5000)}`, 'corpus is “x{40}”; it must be intl or task'],
    ] as const) {
      const before = (await calls(page, 'describe')).length;
      await page.evaluate((hash) => location.assign(hash), new URL(link.replace(from, to)).hash);
      await untilText(page, '#notices .bad', `The training in the link is ignored: ${message}`);
      expect((await calls(page, 'describe')).length).toBe(before);
    }
    await page.evaluate(() => history.replaceState(null, '', location.pathname));
  });
});
