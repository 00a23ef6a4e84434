// The page Train with a fake worker, opened anew for each test of a file, which may cause no error.
import type { Page } from 'puppeteer';
import { afterEach, beforeEach, expect } from 'vitest';
import { type DemoPage, demo } from '../support/demo.ts';
import { fakeWorker } from './fake-worker.ts';

/** Opens it before each test, hands it to `use`, and closes it afterwards. */
export function withFakeWorkerPage(use: (page: Page) => void): void {
  const { open } = demo();
  let opened: DemoPage;
  beforeEach(async () => {
    opened = await open('train.html', { before: fakeWorker });
    use(opened.page);
  });
  afterEach(async () => {
    expect(opened.errors).toEqual([]);
    await opened.page.close();
  });
}
