// What a visitor loads, compressed and without the model: a page that translates with the library, and the first
// view of the page Train. The limits are 15 % above the sizes of December 2026.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, expect, it } from 'vitest';
import { demo, untilText } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const site = dirname(distFile('demo/index.html'));
const own = join(site, 'first-load');
afterAll(() => rmSync(own, { recursive: true, force: true }));
const pages = demo();

/** The kilobytes, compressed, of all files that a page loads until it shows a translation. */
async function loadedKilobytes(path: string, translation: string): Promise<number> {
  const { page, requests, errors } = await pages.open(path);page.setDefaultTimeout(15000);
  await untilText(page, translation, '^Te amo').catch(async (e) => { console.log(errors, requests.length, await page.evaluate('document.querySelector("p").textContent'), requests.slice(-12)); throw e; });
  await page.close();
  const files = new Set(
    requests
      .filter((url) => url.startsWith(pages.url) && !/\.safetensors$|favicon/.test(url))
      .map((url) => new URL(url).pathname)
      .map((name) => (name.endsWith('/') ? `${name}index.html` : name)),
  );
  const sizes = [...files].map((name) => gzipSync(readFileSync(join(site, name))).length);
  return sizes.reduce((a, b) => a + b, 0) / 1000;
}

it('loads a small library to translate', async () => {
  const model = readdirSync(join(site, 'assets')).find((name) => /^en-es-general-.*\.safetensors$/.test(name));
  mkdirSync(own, { recursive: true });
  const program = `import { loadModel } from '${distFile('heddle.js')}';
    const model = await loadModel(new URL('../assets/${model}', location.href).href);
    document.querySelector('p').textContent = await model.translate('I love you.');`;
  writeFileSync(join(own, 'main.js'), program);
  writeFileSync(join(own, 'source.html'), '<p></p><script type="module" src="./main.js"></script>');
  await build({
    configFile: false,
    root: own,
    base: './',
    logLevel: 'error',
    build: { outDir: own, emptyOutDir: false, rolldownOptions: { input: join(own, 'source.html') } },
  });
  const size = await loadedKilobytes('first-load/source.html', 'p');
  console.log(`a page that translates: ${size.toFixed(1)} kB compressed`);
  expect(size).toBeLessThan(1000);
});

it('loads little for the first view of the page Train', async () => {
  const size = await loadedKilobytes('', '#translation');
  console.log(`the first view of the page Train: ${size.toFixed(1)} kB compressed`);
  expect(size).toBeLessThan(1000);
});
