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

/** The page asks for this address when it shows the translation: what it asks for later is not of its first view. */
const mark = '/translated';

/** Runs in the page before its programs: asks for `mark`, and starts no timer of 300 ms or more. */
function watchFirstView(): void {
  const { setTimeout } = globalThis;
  const short = (run: () => void, ms = 0) => (ms < 300 ? setTimeout(run, ms) : 0);
  globalThis.setTimeout = short as typeof setTimeout;
  new MutationObserver((_, observer) => {
    const text = document.querySelector('#translation, body > p')?.textContent ?? '';
    if (!text.startsWith('Te quiero')) return;
    observer.disconnect();
    void fetch('/translated');
  }).observe(document, { childList: true, characterData: true, subtree: true });
}

it.each([
  ['a page that translates', 'first-load/page.html', 'p', 175],
  ['the first view of the page Train', 'train.html', '#translation', 325],
] as const)('loads little in %s', async (name, path, translation, limit) => {
  const { page, requests } = await pages.open(path, { before: watchFirstView });
  await untilText(page, translation, '^Te quiero');
  await page.close();
  const paths = requests.map((url) => new URL(url).pathname);
  expect(paths).toContain(mark);
  const files = new Set(paths.slice(0, paths.indexOf(mark)));
  const texts = [...files].filter((file) => /\.(html|js|css|svg|json)$/.test(file));
  const sizes = texts.map((file) => gzipSync(readFileSync(join(site, file))).length);
  const kilobytes = sizes.reduce((a, b) => a + b) / 1000;
  console.log(`${name}: ${kilobytes.toFixed(0)} kB compressed, in ${sizes.length} files (limit ${limit} kB)`);
  expect(kilobytes).toBeLessThan(limit);
  if (path !== 'train.html') {
    // Settings of trainings that guests bring.
    const code = texts.map((file) => readFileSync(join(site, file), 'utf8')).join('\n');
    expect(code).not.toMatch(/maskTimeProb|guidedAlignment\b|samplingAlpha/);
  }
});
