// The built page downloads a model through the hub proxy and translates with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hubProxy } from '../../demo/hub-proxy.ts';
import type { RequestHandler } from '../../src/host/static-server.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { atBothWidths, demo, untilText, withoutModels } from '../support/demo.ts';
import { hfFolder } from '../support/hf.ts';

let hub: Hub;
let answer: RequestHandler = withoutModels;
const { open } = demo((...given) => answer(...given));
beforeAll(async () => {
  const files = await hfFolder('bart');
  hub = await startHub({
    'config.json': await files.read('bart/config.json'),
    'model.safetensors': await files.read('bart/model.safetensors'),
  });
});
afterAll(() => hub?.close());

const unreachable: [string, RequestHandler, string][] = [
  ['Hugging Face, which tests cannot reach', withoutModels, 'huggingface\\.co'],
  ['a hub behind the proxy', hubProxy('http://127.0.0.1:9'), '127\\.0\\.0\\.1:9'],
];
// Each waits for retries for seconds.
it.runIf(process.env.HEDDLE_FULL).each(unreachable)(
  'says in plain words that a server cannot be reached: %s',
  async (_, handler, host) => {
    answer = async (...given) => (await handler(...given)) || withoutModels(...given);
    const { page } = await open('train.html?tune=0');
    const model =
      '^English → Spanish: the file of the model could not be downloaded from 127\\.0\\.0\\.1:\\d+\\. Check the network';
    await untilText(page, '#translate-box .wrong[role="status"]', model);
    await atBothWidths(page, async (width) => {
      await page.locator('#hub-model').fill(`me/at-${width}`);
      await page.locator('#hub-fetch').click();
      await untilText(
        page,
        '#hub-note.wrong',
        `^me/at-${width}: ${host} cannot be reached; check the network connection, then press Download again$`,
      );
      for (const place of ['#hub-note', '#translate-box [role="status"]'])
        expect(await page.$eval(place, (e) => e.checkVisibility() && e.textContent)).not.toMatch(
          /https?:|fetch/,
        );
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });
    await page.close();
    answer = withoutModels;
  },
);

// browser-pull.test.ts continues downloads, and train-page.test.ts has the page.
it.runIf(process.env.HEDDLE_FULL)(
  'downloads a model, continues after a cancel and a cut connection, and translates with it',
  async () => {
    const { page, requests, errors } = await open('train.html?tune=0');
    // The example is a card for engineers.
    await page.evaluate(() => document.documentElement.toggleAttribute('data-engineers', true));
    const proxy = hubProxy(hub.url);
    answer = async (...given) => (await proxy(...given)) || withoutModels(...given);
    await page.locator('#hub-model').fill('me/it');
    const inGallery = '[data-gallery="sshleifer/distill-pegasus-xsum-16-4"]';
    await untilText(page, inGallery, 'about 1\\.4 GiB');
    await page.locator(`${inGallery} button`).click();
    await untilText(
      page,
      `${inGallery} .wrong`,
      '^sshleifer/distill-pegasus-xsum-16-4/config.json: there is no such model',
    );

    hub.state.stalls['model.safetensors'] = 3000;
    await page.locator('#hub-fetch').click();
    await untilText(page, '#hub-bytes', '^3\\.[\\d.]+ KiB of [\\d.]+ KiB · model\\.safetensors$');
    await page.locator('[aria-label="Cancel the download"]').click();
    await untilText(page, '[data-partial="it"]', 'The download of it is incomplete');
    hub.state.cuts['model.safetensors'] = [1000];
    await page.locator('#hub-fetch').click();
    await untilText(page, '#hub-note', '^me/it was downloaded');
    await untilText(page, '[data-model="it"]', 'weights only · [1-9][\\d,]* parameters');
    const ranges = hub.log.filter((x) => x.path.startsWith('/cdn/')).map(({ range }) => range);
    expect(ranges).toEqual([undefined, 'bytes=3000-', expect.stringMatching(/^bytes=[34]\d{3}-$/)]);

    await page.locator('[aria-label="Load it to translate with it"]').click();
    await untilText(page, '#translate-box [role="status"]', 'it is loaded');
    await page.locator('#translate-text').fill('13 8 13 10');
    await page.locator('#translate').click();
    await untilText(page, '#translation', '^0 19 19 3 19 21 19 18 19 17 19 22 19$'); // from expected.json

    // Errors quote the start of a long text, not all of it.
    await page.locator('#hub-model').fill('x'.repeat(5000));
    await page.locator('#hub-fetch').click();
    await untilText(
      page,
      '#hub-note.wrong',
      '^"x{40}…" is not the name of a model; write OWNER/NAME, for example [^ ]*$',
    );
    await page.locator('#translate-text').fill('13 '.repeat(5000));
    await page.locator('#translate').click();
    await untilText(page, '#translate-box [role="status"].wrong', '\\d');
    await atBothWidths(page, async () => {
      const shown = await page.$eval(
        '#translate-box [role="status"]',
        (e) => (e.checkVisibility() && e.textContent) || '',
      );
      expect(shown.length).toBeLessThan(200);
    });
    await page.locator('#hub-model').fill('me/it');

    // One press downloads a model of the gallery, loads it and translates its example.
    // Its weights in safetensors are in a pull request; the hub knows its size.
    hub.state.repositories.push('sshleifer/distill-pegasus-xsum-16-4');
    await page.locator(`${inGallery} button`).click();
    await untilText(page, '[data-model="distill-pegasus-xsum-16-4"]', 'weights only');
    await untilText(page, '#translate-box .tag', '^distill-pegasus-xsum-16-4$');
    await untilText(page, inGallery, 'xsum-16-4 · [\\d.]+ KiB.*Load');
    expect(hub.log.some(({ path }) => path.endsWith('/distill-pegasus-xsum-16-4/revision/refs/pr/1'))).toBe(
      true,
    );
    expect(await page.$eval('#translate-text', (e) => (e as HTMLTextAreaElement).value)).toContain(
      '324 metres',
    );

    expect(requests.filter((url) => url.includes('/hub/')).length).toBeGreaterThan(3);
    // The console reports the missing model and the cut connection.
    expect(errors.filter((fault) => !fault.startsWith('console: Failed to load resource'))).toEqual([]);
    await page.close();
  },
);
