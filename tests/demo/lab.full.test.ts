// The kernel lab before anything is measured, and Stop while a kernel of the visitor is checked: at once, whatever the
// kernel does.
import { expect, it } from 'vitest';
import { demo, openDetails, ownChrome } from '../support/demo.ts';
import { lookAt, textOf, untilMatches } from '../support/looks.ts';

const { open } = demo(undefined, ownChrome);

/** A kernel that runs for minutes on a software adapter. */
const endless = `
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = f32(id.x);
  for (var i = 0u; i < 4000000000u; i++) { x = fract(x * 1.0001 + 0.1); }
  if (id.x < arrayLength(&c)) { c[id.x] = x; }
}`;

it('shows recorded devices until something is measured, software adapters named as such', async () => {
  const lab = await open('lab.html');
  const { page } = lab;
  await page.waitForSelector('.plot .recorded .roof');
  const names = await page.$$eval('.plot .recorded .roof-name', (all) => all.map((e) => e.textContent ?? ''));
  expect(names.length).toBeGreaterThan(1);
  for (const name of names) expect(name).toMatch(/ \(software\): [\d.,]+ GFLOP\/s$/);
  expect((await page.$$('.plot .recorded circle')).length).toBeGreaterThan(5);
  expect(await textOf(page, '.readout')).toMatch(
    /^Nothing is measured yet\. The background is recorded: .*llvmpipe.*\(software\)/,
  );
  expect(await page.$$('.plot .place')).toEqual([]);
  await lookAt(lab, 'lab-first');
  await openDetails(page, '#controls details');
  await page.type('input[type=search]', 'softmax');
  await page.locator('::-p-aria([name="Measure"][role="button"])').click();
  await page.waitForSelector('.plot .roofs');
  expect(await page.$('.plot .recorded')).toBeNull();
  expect(lab.errors).toEqual([]);
});

it('stops an edited kernel within a second, and checks the next one', async () => {
  const lab = await open('lab.html');
  const { page } = lab;
  await page.$eval('#editor', (e) => e.scrollIntoView());
  const editorHas = (part: string) =>
    page.waitForFunction(
      (wanted) => document.querySelector<HTMLTextAreaElement>('#editor textarea')?.value.includes(wanted),
      {},
      part,
    );
  await editorHas('@compute');
  const press = (name: string) => page.locator(`#editor ::-p-aria([name="${name}"][role="button"])`).click();
  const write = (text: string) =>
    page.$eval(
      '#editor textarea',
      (area, source) => {
        area.value = source;
        area.dispatchEvent(new Event('input'));
      },
      text,
    );
  await press('Write your own kernel');
  await editorHas('fn ');
  const template = await page.$eval('#editor textarea', (area) => (area as HTMLTextAreaElement).value);
  for (const wait of [0, 300, 6000]) {
    await write(wait < 6000 ? template : endless);
    await press('Check and time');
    await untilMatches(page, '#editor .status', /Compiling/);
    await new Promise((resolve) => setTimeout(resolve, wait));
    const begin = performance.now();
    await page.$eval('#editor .row', (row) =>
      [...row.querySelectorAll('button')].find((b) => b.textContent === 'Stop')?.click(),
    );
    await untilMatches(page, '#editor .status', /^Stopped\.$/);
    expect(performance.now() - begin, `stopped after ${wait} ms`).toBeLessThan(1000);
    expect(await page.$('#editor .status.wrong')).toBeNull();
  }
  await lookAt(lab, 'lab-stopped');
  // The page goes on: heddle's kernel is checked on another device.
  await press('Reset to heddle’s');
  await press('Check and time');
  await untilMatches(page, '#editor .status', /^Correct: /);
  expect(lab.errors).toEqual([]);
});
