// npm run bench:device: measures the adapter of this machine as "Measure this device" of the kernel lab does, and
// writes the report into bench/results/devices, and the tables of the docs that show it (npm run bench:table).
//
//   --host NAME      dawn: in Node; chrome: the built lab in headless Chrome (default: dawn)
//   --transformers   chrome: also transformers.js in WebAssembly (npm run bench:decode installs it; build the pages then)
//   --tries N        measure again if the report is not plausible, because the machine does other work (default: 3)
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleForNode, root } from '../bundle-for-node.mjs';

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: 'dawn' },
    transformers: { type: 'boolean', default: false },
    tries: { type: 'string', default: '3' },
  },
});
const measurements = { dawn: measureInNode, chrome: measureInChrome };
const measureHere = measurements[options.host];
if (!measureHere)
  fail(`--host ${options.host}: unknown; choose from ${Object.keys(measurements).join(', ')}`);
const bundle = await bundleForNode(import.meta.dirname, { device: 'node-device.ts' });
const { measureNode, readDeviceReport } = await import(pathToFileURL(join(bundle, 'device.js')).href);

let reason = '';
for (let i = 0; i < Number(options.tries); i++) {
  const line = await measureHere();
  try {
    const { when, adapter } = readDeviceReport(line);
    const name = `${when.slice(0, 10)}-${options.host}-${adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    const folder = join(root, 'bench/results/devices');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name.slice(0, 60).replace(/-$/, '')}.json`);
    writeFileSync(path, `${line}\n`);
    console.log(path);
    const { status } = spawnSync(process.execPath, [join(root, 'bench/write-tables.mjs')], {
      stdio: 'inherit',
    });
    process.exit(status ?? 1);
  } catch (error) {
    reason = error.message;
    console.error(`bench:device: ${reason}`);
  }
}
fail('no measurement was plausible; close other programs');

/** The report of Dawn's adapter as a line. */
function measureInNode() {
  return measureNode((text) => console.error(text));
}

/** The report of the lab in Chrome as a line. */
async function measureInChrome() {
  const { launchChrome, serveFolder } = await import(join(root, 'dist/headless.js'));
  const [chrome, server] = await Promise.all([
    launchChrome({ gpu: 'auto' }),
    serveFolder(join(root, 'dist/demo')),
  ]);
  try {
    const page = await chrome.browser.newPage();
    await page.goto(new URL('lab.html', server.url).href);
    await page.waitForSelector('#device-box button.main');
    if (options.transformers) await page.click('#with-transformers');
    await page.click('#device-box button.main');
    const text = (selector) => page.$eval(selector, (e) => e.textContent);
    await page.waitForSelector('.device-line, .status.wrong', { timeout: 600_000 });
    if (await page.$('.status.wrong')) fail(await text('.status.wrong'));
    return await text('.device-line');
  } finally {
    await Promise.all([chrome.close(), server.close()]);
  }
}

function fail(message) {
  console.error(`bench:device: ${message}`);
  process.exit(1);
}
