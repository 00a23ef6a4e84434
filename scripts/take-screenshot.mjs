// npm run demo:screenshot: trains in the built page in headless Chrome (1280 by 900 pixels, light) and writes
// the picture for the README to demo/screenshots/train.png. `npm run build` first. It takes about two minutes
// on two CPU cores. With the argument `icons` it only draws demo/icons/ from demo/icon.svg; with `picture` it only
// writes demo/screenshots/picture.png, the picture of the whole model for previews of links.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './install.mjs';

/** A training of 200 updates with an evaluation every 20. */
const hash = new URLSearchParams({
  corpus: 'intl',
  from: 'en',
  to: 'es',
  pairs: '4000',
  corpusSeed: '1',
  preset: 'tiny',
  steps: '200',
  batchSize: '16',
  evalSteps: '20',
  devSentences: '8',
  updateRatioSteps: '5',
  learningRate: '0.003',
  schedule: 'linear',
});
/** The update after which the picture is taken. */
const taken = 180;

const { launchChrome, serveFolder } = await import(pathToFileURL(join(root, 'dist/headless.js')).href);
if (process.argv[2] === 'icons') {
  await drawIcons();
  process.exit();
}
if (process.argv[2] === 'picture') {
  await drawPicture();
  process.exit();
}
const server = await serveFolder(join(root, 'dist/demo'));
const chrome = await launchChrome({ gpu: 'auto' });
try {
  const page = await chrome.openPage(`${server.url}?tune=0#${hash}`, {
    onError: (error) => console.error(error.message),
  });
  await page.setViewport({ width: 1280, height: 900 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  const until = (script) => page.waitForFunction(script, { timeout: 0, polling: 50 });
  await until("/\\S/.test(document.querySelector('#translation').textContent)");
  await until(
    "document.querySelector('#plan-summary').firstChild && !document.querySelector('[aria-busy=true]')",
  );
  await page.evaluate(
    "heddlePage.session.on((e) => { if (e.type === 'steps') globalThis.step = e.steps.at(-1).step; })",
  );
  await page.click('#start');
  await until(`globalThis.step >= ${taken}`);
  // Close the notice about the link and scroll to the panels of the training.
  await page.evaluate(
    "window.scrollTo({ top: document.querySelector('#layout').offsetTop - 16, behavior: 'instant' })",
  );
  await page.evaluate('new Promise((done) => setTimeout(done, 1000))'); // charts are drawn when they are visible
  await page.screenshot({ path: join(root, 'demo/screenshots/train.png') });
} finally {
  await chrome.close();
  await server.close();
}

/** The last moment of the moving picture, 1200 by 630 pixels, which chats and social networks show. */
async function drawPicture() {
  const server = await serveFolder(join(root, 'dist/demo'));
  const chrome = await launchChrome({ gpu: 'swiftshader' });
  try {
    const page = await chrome.openPage('about:blank');
    await page.setViewport({ width: 1200, height: 630 });
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: 'light' },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    // Without a GPU the page keeps the recorded translation.
    await page.evaluateOnNewDocument("Object.defineProperty(navigator, 'gpu', { value: undefined })");
    await page.goto(`${server.url}learn.html`);
    await page.waitForSelector('.picture canvas');
    await page.evaluate('new Promise((done) => setTimeout(done, 1000))');
    await page.screenshot({ path: join(root, 'demo/screenshots/picture.png') });
  } finally {
    await chrome.close();
    await server.close();
  }
}

/** Draws the icons for home screens: the mark on the colour of the page, with a margin for round masks. */
async function drawIcons() {
  const chrome = await launchChrome({ gpu: 'swiftshader' });
  const svg = readFileSync(join(root, 'demo/icon.svg'), 'utf8');
  mkdirSync(join(root, 'demo/icons'), { recursive: true });
  try {
    const page = await chrome.openPage('about:blank');
    for (const size of [180, 192, 512]) {
      await page.setViewport({ width: size, height: size });
      await page.setContent(
        `<style>body{margin:0;background:#f6f5f1}svg{display:block;width:60vw;margin:20vw}</style>${svg}`,
      );
      await page.screenshot({ path: join(root, `demo/icons/icon-${size}.png`) });
    }
  } finally {
    await chrome.close();
  }
}
