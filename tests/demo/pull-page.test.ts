// The built page downloads a model through the hub proxy and translates with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hubProxy } from '../../demo/hub-proxy.ts';
import type { RequestHandler } from '../../src/host/static-server.ts';
import { type Hub, startHub } from '../hub/hub.ts';
import { demo, untilText, withoutModels } from '../support/demo.ts';
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

it('downloads a model, continues after a cancel and a cut connection, and translates with it', async () => {
  const { page, requests, errors } = await open('index.html?tune=0');
  const says = (selector: string, pattern: string) => untilText(page, selector, pattern);
  // Without a proxy the page asks Hugging Face, which tests cannot reach.
  await page.locator('#hub-model').fill('me/it');
  await page.locator('#hub-fetch').click();
  await says('#hub-note.wrong', '^me/it: the connection to huggingface\\.co failed');

  const proxy = hubProxy(hub.url);
  answer = async (...given) => (await proxy(...given)) || withoutModels(...given);
  const inGallery = '[data-gallery="sshleifer/distill-pegasus-xsum-16-4"]';
  await says(inGallery, 'about 1\\.4 GiB');
  await page.locator(`${inGallery} button`).click();
  await says(`${inGallery} .wrong`, '^sshleifer/distill-pegasus-xsum-16-4/config.json: there is no such model');

  hub.state.stalls['model.safetensors'] = 3000;
  await page.locator('#hub-fetch').click();
  await says('#hub-bytes', '^3\\.[\\d.]+ KiB of [\\d.]+ KiB · model\\.safetensors$');
  await page.locator('[aria-label="Cancel the download"]').click();
  await says('[data-partial="it"]', 'The download of it is incomplete');
  hub.state.cuts['model.safetensors'] = [1000];
  await page.locator('#hub-fetch').click();
  await says('#hub-note', '^me/it was downloaded');
  await says('[data-model="it"]', 'weights only · [1-9][\\d,]* parameters');
  const ranges = hub.log.filter((x) => x.path.startsWith('/cdn/')).map(({ range }) => range);
  expect(ranges).toEqual([undefined, 'bytes=3000-', expect.stringMatching(/^bytes=[34]\d{3}-$/)]);

  await page.locator('[aria-label="Load it to translate with it"]').click();
  await says('#translate-box [role="status"]', 'it is loaded');
  await page.locator('#translate-text').fill('13 8 13 10');
  await page.locator('#translate').click();
  await says('#translation', '^0 19 19 3 19 21 19 18 19 17 19 22 19$'); // from expected.json

  // One press downloads a model of the gallery, loads it and translates its example.
  // Its weights in safetensors are in a pull request; the hub knows its size.
  hub.state.repositories.push('sshleifer/distill-pegasus-xsum-16-4');
  await page.locator(`${inGallery} button`).click();
  await says('[data-model="distill-pegasus-xsum-16-4"]', 'weights only');
  await says('#translate-box .tag', '^distill-pegasus-xsum-16-4$');
  await says(inGallery, 'xsum-16-4 · [\\d.]+ KiB.*Load');
  expect(hub.log.some(({ path }) => path.endsWith('/distill-pegasus-xsum-16-4/revision/refs/pr/1'))).toBe(true);
  expect(await page.$eval('#translate-text', (e) => (e as HTMLTextAreaElement).value)).toContain('324 metres');

  expect(requests.filter((asked) => asked.includes('/hub/')).length).toBeGreaterThan(3);
  // The console reports the missing model and the cut connection.
  const expected = /^(console: Failed to load resource|request: https:\/\/huggingface\.co\/api\/models\/me\/it\/)/;
  expect(errors.filter((fault) => !expected.test(fault))).toEqual([]);
  await page.close();
});
