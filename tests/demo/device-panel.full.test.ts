// The part of the built kernel lab that shows a measured device, with an invented report in place of a measurement;
// lab-device.full.test.ts measures.

import { expect, it } from 'vitest';
import { type DeviceReport, readDeviceReport } from '../../src/bench/device-report.ts';
import { axeViolations } from '../support/axe.ts';
import { demo, untilText } from '../support/demo.ts';
import { gpuReport } from '../support/device-report.ts';

const { open } = demo();

it('shows a report, and offers to send it if it is plausible', async () => {
  const lab = await open('lab.html', {
    before: () => {
      globalThis.Worker = class extends EventTarget {
        onmessage: ((event: MessageEvent) => void) | undefined;
        constructor() {
          super();
          Object.assign(globalThis, { labWorker: this });
        }
        postMessage() {}
        terminate() {}
      } as unknown as typeof Worker;
    },
  });
  const { page } = lab;
  const answer = async (report: DeviceReport) => {
    await page.locator('::-p-aria([name="Measure this device"][role="button"])').click();
    await page.evaluate((data) => {
      const { labWorker } = globalThis as unknown as { labWorker: Worker };
      labWorker.onmessage?.(new MessageEvent('message', { data: { type: 'device', report: data } }));
    }, report);
  };
  await answer(gpuReport);
  expect(readDeviceReport(await page.$eval('.device-line', (e) => e.textContent ?? ''))).toEqual(gpuReport);
  const href = await page.$eval('#device-box a.button', (e) => (e as HTMLAnchorElement).href);
  expect(readDeviceReport(new URL(href).searchParams.get('report') ?? '')).toEqual(gpuReport);
  expect(await page.$eval('.device-picture svg title', (e) => e.textContent)).toContain(gpuReport.adapter);
  expect(await page.$eval('.devices', (e) => e.textContent)).toContain(
    'No machine with a GPU has been measured yet',
  );
  // What a visitor says about it: the clipboard is replaced, since a headless browser has none.
  await page.evaluate(() => {
    const copied: unknown[] = [];
    const write = (value: unknown) => Promise.resolve(void copied.push(value));
    Object.defineProperty(navigator, 'clipboard', { value: { writeText: write, write } });
    Object.assign(globalThis, { copied });
  });
  await page.locator('#copy-sentence').click();
  await untilText(page, '#device-status', '^Copied: My GPU');
  expect(await page.$eval('#device-status', (e) => e.textContent)).toMatch(
    /FLOP\/s and [\d.,]+ GB\/s .* Measure yours: http:\/\/[\w.:]+\/lab\.html$/,
  );
  await page.locator('#copy-card').click();
  await untilText(page, '#device-status', 'picture was copied');
  for (const width of [1440, 390]) {
    await lab.view({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide, `${width} px`).toBeLessThanOrEqual(0);
    await lab.screenshot(`device-panel-${width}`);
  }
  expect(await axeViolations(page)).toEqual([]);
  // Numbers that cannot be are shown, but not sent.
  await answer({ ...gpuReport, roofs: { ...gpuReport.roofs, peak: 1 } });
  expect(await page.$('#device-box a.button')).toBeNull();
  expect(await page.$eval('#device-box .note.bad', (e) => e.textContent)).toContain('of the roof');
  expect(lab.errors).toEqual([]);
});
