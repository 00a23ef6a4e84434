// "Measure this device" of the built kernel lab, on Chrome's software adapter with small sizes.

import { expect, it } from 'vitest';
import { type DeviceReport, deviceReportOf, readDeviceReport } from '../../src/bench/device-report.ts';
import { demo, ownChrome, untilText } from '../support/demo.ts';
import { steady } from '../support/device-report.ts';
import { lookAt } from '../support/looks.ts';

const { open } = demo(undefined, ownChrome);

it('measures, shows and offers to send a report', { timeout: 200_000 }, async () => {
  const lab = await open('lab.html');
  const { page } = lab;
  await page.locator('::-p-aria([name="Measure this device"][role="button"])').click();
  await untilText(page, '.status', '^Done: the device is measured');
  const line = await page.$eval('.device-line', (e) => e.textContent ?? '');
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
  await page.$eval('.devices', (e) => {
    (e as HTMLDetailsElement).open = true;
  });
  expect(await page.$eval('.devices', (e) => e.textContent)).toContain(
    'No machine with a GPU has been measured yet',
  );
  await lookAt(lab, 'lab-device');
  expect(lab.errors).toEqual([]);
  console.log(line);
});
