// "Measure this device" of the built kernel lab, on Chrome's software adapter with small sizes.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type DeviceReport, deviceReportOf, readDeviceReport } from '../../src/bench/device-report.ts';
import { type DemoPage, demo, openDetails, ownChrome, untilText } from '../support/demo.ts';
import { steady } from '../support/device-report.ts';
import { distFile } from '../support/dist.ts';
import { lookAt } from '../support/looks.ts';

const { open } = demo(undefined, ownChrome);

/** Measures the device of a page. Returns its line. */
async function measuredLine({ page }: DemoPage): Promise<string> {
  await page.locator('::-p-aria([name="Measure this device"][role="button"])').click();
  await untilText(page, '.status', '^Done: the device is measured');
  return page.$eval('.device-line', (e) => e.textContent ?? '');
}

const fromLibrary = ({ requests }: DemoPage) => requests.filter((url) => url.includes('/transformers/'));

it('measures, shows and offers to send a report', async () => {
  const lab = await open('lab.html');
  const { page } = lab;
  const line = await measuredLine(lab);
  const report: DeviceReport = JSON.parse(line);
  expect(() => deviceReportOf(steady(report))).not.toThrow();
  expect(report).toMatchObject({ software: true, step: { preset: 'tiny' } });
  expect(report.conformance.wrong).toEqual([]);
  expect(report.decoding.map(({ batch }) => batch)).toEqual([1, 8]);
  // A machine that does other work may measure what is not plausible; then the page says so and does not send it.
  const hrefs = await page.$$eval('#device-box a.button', (all) =>
    all.map((e) => (e as HTMLAnchorElement).href),
  );
  const faults = await page.$$eval('#device-box .note.bad', (all) => all.map((e) => e.textContent));
  expect(hrefs.length + faults.length).toBe(1);
  for (const href of hrefs)
    expect(readDeviceReport(new URL(href).searchParams.get('report') ?? '')).toEqual(report);
  expect(await page.$eval('.device-picture svg title', (e) => e.textContent)).toContain(report.adapter);
  expect(await page.$eval('.plot .measured .roof-name', (e) => e.textContent)).toMatch(/^this device: /);
  expect(await page.$eval('.readout', (e) => e.textContent)).toMatch(/^The solid line is this device: /);
  await openDetails(page, '.devices');
  expect(await page.$eval('.devices', (e) => e.textContent)).toContain(
    'No machine with a GPU has been measured yet',
  );
  expect(report.beside).toBeUndefined();
  expect(fromLibrary(lab)).toEqual([]);
  await lookAt(lab, 'lab-device');
  expect(lab.errors).toEqual([]);
  console.log(line);
});

// The build of the page copies transformers.js from bench/decode/node_modules, which npm run bench:decode installs.
it.skipIf(!existsSync(join(distFile('demo/index.html'), '../transformers/transformers.min.js')))(
  'decodes the same model with transformers.js if the visitor agrees to load it',
  async () => {
    const lab = await open('lab.html');
    const { page } = lab;
    expect(await page.$eval('#transformers-hint', (e) => e.textContent)).toMatch(
      /Loads [\d.]+ MiB from this site/,
    );
    await page.locator('#with-transformers').click();
    expect(fromLibrary(lab)).toEqual([]);
    const report: DeviceReport = JSON.parse(await measuredLine(lab));
    expect(() => deviceReportOf(steady(report))).not.toThrow();
    expect(report.beside?.map(({ batch, sameRows }) => [batch, sameRows])).toEqual([
      [1, 1],
      [8, 8],
    ]);
    for (const { library, tokensPerSecond } of report.beside ?? []) {
      expect(library).toMatch(/^transformers.js \d+\.\d+\.\d+, wasm, \d+ threads?$/);
      expect(tokensPerSecond).toBeGreaterThan(0);
    }
    expect(await page.$eval('#device-box', (e) => e.textContent)).toContain('the same ids as heddle');
    // Its files come from the page's own site, and no others are requested (`errors` has those of other origins).
    const files = fromLibrary(lab).map((url) => url.replace(/^.*\/transformers\//, ''));
    expect(new Set(files)).toEqual(
      new Set(['transformers.min.js', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']),
    );
    await lookAt(lab, 'lab-device-beside');
    expect(lab.errors).toEqual([]);
    console.log(JSON.stringify(report));
  },
);
