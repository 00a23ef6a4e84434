// What one training leaves for the next, with a fake worker: nothing of its changes, its figures or its end.
import type { Page } from 'puppeteer';
import { expect, it } from 'vitest';
import { fillField, untilText } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { withFakeWorkerPage } from './fake-worker-page.ts';

let page: Page;
withFakeWorkerPage((opened) => {
  page = opened;
});

const calls = (name: string) =>
  page.evaluate((n) => window.fake.calls.filter((c) => c.name === n).map((c) => c.args), name);
const figure = (id: string) => page.$eval(`#${id}`, (e) => e.textContent ?? '');
/** Starts a training and sends `count` updates. */
async function train(count: number): Promise<void> {
  await page.locator('#start').click();
  await untilText(page, '.state', 'Training');
  await page.evaluate((n) => window.fake.train(n, 50), count);
  await untilText(page, '#run', `step ${count} of 800`);
}
const end = (state: 'done' | 'stopped') =>
  page.evaluate(
    (s) => window.fake.send({ type: 'state', state: s, model: 'm', step: 100, steps: 800, text: '' }),
    state,
  );

it('starts a training after a click before the first plan', async () => {
  await page.waitForSelector('#start');
  await page.$eval('#start', (button) => (button as HTMLButtonElement).click());
  await untilText(page, '.state', 'Training');
  expect(await calls('start')).toHaveLength(1);
});

itInFull('leaves changes by hand with the training that they were made in', async () => {
  await train(100);
  await fillField(page, 'Dropout rate', '0.25');
  await page.locator('#apply-changes').click();
  await untilText(page, '#changes', 'dropout 0.25');
  await end('stopped');
  await page.locator('#start').click();
  await page.waitForFunction(() => window.fake.calls.filter((c) => c.name === 'start').length === 2);
  for (const [{ settings }] of (await calls('start')) as [{ settings: object }][])
    expect(settings).not.toHaveProperty('changes');
});

it('leaves the field alone that a program is filling while a plan arrives', async () => {
  const field = await page.waitForSelector('::-p-aria([name="Learning rate"][role="spinbutton"])');
  await field?.focus();
  await field?.evaluate((e) => {
    (e as HTMLInputElement).value = ''; // as Puppeteer clears a field, without an event
  });
  const before = (await calls('describe')).length;
  await page.evaluate(() => window.dispatchEvent(new HashChangeEvent('hashchange')));
  await page.select('#settings select', 'tiny');
  await page.waitForFunction(
    (n) => window.fake.calls.filter(({ name }) => name === 'describe').length > n,
    {},
    before,
  );
  await page.waitForFunction(() => !document.querySelector('#plan-summary')?.hasAttribute('aria-busy'));
  expect(await field?.evaluate((e) => (e as HTMLInputElement).value)).toBe('');
  await page.keyboard.type('0.5');
  expect(await field?.evaluate((e) => (e as HTMLInputElement).value)).toBe('0.5');
});

itInFull(
  'says that a loss that has risen has diverged, and starts again with the rate of the preset',
  async () => {
    await fillField(page, 'Learning rate', '1000');
    await untilText(page, '#run .why', 'The learning rate 1,?000 is .* times that of the preset');
    await train(100);
    await page.evaluate(() =>
      window.fake.send({
        type: 'steps',
        steps: [
          {
            type: 'step',
            step: 101,
            loss: 4_567_517,
            stepMs: 20,
            tokensPerSecond: 1,
            learningRate: 1000,
          } as never,
        ],
      }),
    );
    await end('done');
    await untilText(page, '.state', '^Diverged$');
    await untilText(
      page,
      '#run .why.wrong',
      'The loss rose from .* to 4[,.]?5\\S+: the learning rate is too high',
    );
    await page.locator('#again').click();
    await page.waitForFunction(() => window.fake.calls.filter((c) => c.name === 'start').length === 2);
    const started = (await calls('start')) as [{ settings: { learningRate: number } }][];
    expect(started[0]?.[0].settings.learningRate).toBe(1000);
    expect(started[1]?.[0].settings.learningRate).toBeLessThan(0.1);
  },
);

it('shows the figures of a loaded training only', async () => {
  await train(100);
  await end('done');
  await untilText(page, '.state', '^Done');
  await page.evaluate(() => {
    const step = { type: 'step', step: 7, loss: 1.234, learningRate: 0.002, tokensPerSecond: 777 };
    Object.assign(window.fake.history, {
      corpus: { kind: 'task', task: 'sort', pairs: 10, seed: 1 },
      step: 7,
      steps: [step],
    });
    Object.assign(window.fake.history, { settings: { changes: '3 learningRate=0.1' } });
  });
  await page.locator('::-p-aria([name="Load intl-en-fr to translate with it"][role="button"])').click();
  await page.waitForFunction(() => document.querySelector('#now-loss')?.textContent === '1.234');
  expect(await figure('now-rate')).toBe('777');
  expect(await figure('now-accuracy')).toBe('–');
  await untilText(page, '.state', '^Ready to train$');
  // The changes of the loaded run are not those of the next one.
  await page.waitForFunction(() => window.fake.calls.at(-1)?.name !== 'history');
  const described = (await calls('describe')) as [{ settings: object }][];
  expect(described.at(-1)?.[0].settings).not.toHaveProperty('changes');
});

it('marks the words that the model does not know, and says that it is not sure', async () => {
  await untilText(page, '#translation', '^martes');
  const hidden = (id: string) => page.$eval(id, (e) => (e as HTMLElement).hidden);
  expect([await hidden('#unknown'), await hidden('#doubt')]).toEqual([true, true]);
  await page.locator('#translate-text').fill('I doubt: six foxes');
  await page.locator('#translate').click();
  await untilText(page, '#unknown', 'Not in the vocabulary of this model, .*them: six, foxes\\.');
  expect(await page.$$eval('.marks mark', (all) => all.map((e) => e.textContent))).toEqual(['six', 'foxes']);
  await untilText(page, '#doubt', 'The model is not sure of this translation: .* 10\\.0 %');
  // The marks lie under the words of the text field.
  const boxes = await page.evaluate(() => {
    const area = document.querySelector('#translate-text')?.getBoundingClientRect();
    const mark = document.querySelector('.marks mark')?.getBoundingClientRect();
    return { area: area?.toJSON(), mark: mark?.toJSON() } as Record<'area' | 'mark', DOMRect>;
  });
  expect(boxes.mark.top).toBeGreaterThan(boxes.area.top);
  expect(boxes.mark.bottom).toBeLessThan(boxes.area.bottom);
  await page.locator('#translate-text').fill('all is known');
  expect(await page.$$('.marks mark')).toHaveLength(0);
});
