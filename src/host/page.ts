// The page that headless Chrome loads (dist/page): what Node calls in it through Puppeteer stands on globalThis.heddle.
import { type AdapterDescription, describeAdapter } from './adapter.ts';

declare global {
  /** The functions of the page, as Node sees them in `page.evaluate(() => heddle.describe())`. */
  var heddle: { describe(): Promise<AdapterDescription> };
}

globalThis.heddle = {
  describe: () => describeAdapter(navigator.gpu, 'Chrome'),
};
