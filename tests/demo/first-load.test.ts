// What a visitor loads, compressed and without the model: a page that translates with the library, and the first
// view of the page Train. Each limit is 15 % above the size of the commit 197e3f74.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demo, untilText } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const site = dirname(distFile('demo/index.html'));
/** A page of this test, among the pages of the site, whose model it loads. */
const own = join(site, 'first-load');
const pages = demo();

beforeAll(async () => {
  const model = readdirSync(join(site, 'assets')).find((name) =>
    /^en-es-general-.*\.safetensors$/.test(name),
  );
  mkdirSync(own, { recursive: true });
  const program = `import { loadModel } from '${distFile('heddle.js')}';
    const model = await loadModel(new URL('../assets/${model}', location.href).href);
    document.querySelector('p').textContent = await model.translate('I love you.');`;
  writeFileSync(join(own, 'main.js'), program);
  writeFileSync(join(own, 'page.html'), '<p></p><script type="module" src="./main.js"></script>');
  await build({
    configFile: false,
    root: own,
    base: './',
    logLevel: 'error',
    build: { outDir: own, emptyOutDir: false, rolldownOptions: { input: join(own, 'page.html') } },
  });
});
afterAll(() => rmSync(own, { recursive: true, force: true }));

/** What a page loads after a time, 300 ms after the translation or later, is not of its first view. */
function withoutTimers(): void {
  const { setTimeout } = globalThis;
  const short = (run: () => void, ms = 0) => (ms < 300 ? setTimeout(run, ms) : 0);
  globalThis.setTimeout = short as typeof setTimeout;
}

it.each([
  ['a page that translates', 'first-load/page.html', 'p', 175],
  ['the first view of the page Train', 'train.html', '#translation', 325],
] as const)('loads little in %s', async (name, path, translation, limit) => {
  const { page, requests } = await pages.open(path, { before: withoutTimers });
  await untilText(page, translation, '^Te quiero');
  await page.close();
  const files = new Set(requests.map((url) => new URL(url).pathname));
  const sizes = [...files]
    .filter((file) => /\.(html|js|css|svg|json)$/.test(file))
    .map((file) => gzipSync(readFileSync(join(site, file))).length);
  const kilobytes = sizes.reduce((a, b) => a + b) / 1000;
  console.log(`${name}: ${kilobytes.toFixed(0)} kB compressed, in ${sizes.length} files (limit ${limit} kB)`);
  expect(kilobytes).toBeLessThan(limit);
});
