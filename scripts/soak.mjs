// npm run soak [-- --steps N]: trains in the page for many steps in headless Chrome and checks that the
// JavaScript heap, GPU buffers and step time do not grow. Prints a table and writes it to a file. Exits with
// status 1 if something grows.
//
//   --steps N     optimizer updates of the tiny preset on the built-in corpus (5,000)
//   --gpu KIND    auto: the machine's GPU, or Chrome's software adapter; swiftshader: the software adapter (auto)
//   --json FILE   file to write (runs/soak.json)
//   --small       a minimal model without auto-tuning, to test this script
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '5000' },
    gpu: { type: 'string', default: 'auto' },
    json: { type: 'string', default: join(root, 'runs/soak.json') },
    small: { type: 'boolean', default: false },
  },
});
const steps = Math.floor(Number(values.steps) / 10) * 10;
if (!(steps >= 40)) throw new Error(`--steps ${values.steps}: it must be at least 40`);

/** A tenth of the steps. The first tenth includes compilation and warm-up. */
const tenth = steps / 10;
/** Number of steps whose times are compared: the second `stretch` steps and the last ones. */
const stretch = Math.min(500, tenth);
/**
 * Allowed growth from a fifth of the steps to the end. The log grows for the first 1,000 steps, and V8
 * compiles hot functions for thousands of steps, so a shorter run may grow more.
 */
const maxHeapGrowth = steps >= 5000 ? 1.1 : 1.3;
const maxTimeGrowth = 1.05;

const { launchChrome, serveFolder } = await import(join(root, 'dist/headless.js'));
const server = await serveFolder(join(root, 'dist/demo'));
const chrome = await launchChrome({ gpu: values.gpu });
try {
  const page = await chrome.openPage(`${server.url}${values.small ? '?tune=0' : ''}`, {
    onError: (error) => console.error(error.message),
  });
  await page.waitForFunction('globalThis.heddlePage', { timeout: 60_000 });
  const adapter = await chrome.adapter();
  console.log(`${steps} steps on ${[adapter.vendor, adapter.architecture].join(' ')}, ${chrome.version}`);
  const rows = [];
  await page.evaluate(start, steps, values.small);
  for (let part = 1; part <= 10; part++) {
    const at = Math.round(part * tenth);
    await page.waitForFunction(`soak.step >= ${at} || soak.failed`, { timeout: 0, polling: 100 });
    const failed = await page.evaluate('soak.failed');
    if (failed) throw new Error(failed);
    rows.push({ step: at, heap: await heapOf(page), ...(await memoryOf(page)) });
    show(rows.at(-1));
  }
  await page.waitForFunction("soak.state === 'done' || soak.failed", { timeout: 0, polling: 100 });
  const times = await page.evaluate('soak.times');
  report(rows, times, adapter);
} finally {
  await chrome.close();
  await server.close();
}

/**
 * Starts training in the session of the page, which also draws its curves and tables. This function runs in
 * the page.
 */
async function start(count, small) {
  const { session } = globalThis.heddlePage;
  const soak = { step: 0, state: '', failed: '', times: [] };
  Object.assign(globalThis, { session, soak });
  session.on((event) => {
    if (event.type === 'steps')
      for (const { step, stepMs } of event.steps) {
        soak.step = step;
        soak.times.push(stepMs);
      }
    else if (event.type === 'state') {
      soak.state = event.state;
      if (event.state === 'failed') soak.failed = event.text;
    }
  });
  await session.start(
    {
      name: 'soak',
      corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 4000, seed: 1 },
      settings: {
        preset: 'tiny',
        model: small
          ? { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16, maxLength: 24 }
          : { norm: 'pre' },
        vocabSize: 2000,
        batchSize: 16,
        buckets: small ? 1 : 2,
        steps: count,
        schedule: 'inverse-sqrt',
        learningRate: 3e-3,
        evalSteps: Math.floor(count / 10),
        devSentences: 4,
        saveSeconds: 20,
      },
    },
    { replace: true },
  );
}

/** Bytes of the JavaScript heap of the page and its workers after garbage collection. */
async function heapOf(page) {
  const own = await page.createCDPSession();
  let used = 0;
  for (const client of [own, ...page.workers().map((worker) => worker.client)]) {
    await client.send('HeapProfiler.collectGarbage');
    const { usedSize } = await client.send('Runtime.getHeapUsage');
    used += usedSize;
  }
  await own.detach();
  return used;
}

/** GPU buffers: the minimum of several samples, since saving a checkpoint uses temporary buffers. */
async function memoryOf(page) {
  const samples = [];
  for (let k = 0; k < 5; k++) {
    samples.push(await page.evaluate('session.memory()'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return samples.reduce((a, b) => (b.bytes < a.bytes ? b : a));
}

function show({ step, heap, buffers, bytes, created }) {
  const mib = (n) => `${(n / 2 ** 20).toFixed(2)} MiB`;
  console.log(
    `step ${String(step).padStart(6)}  heap ${mib(heap).padStart(11)}  GPU ${mib(bytes).padStart(11)} in ${buffers} buffers, ${created} created`,
  );
}

function report(rows, times, adapter) {
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const early = median(times.slice(stretch, 2 * stretch));
  const late = median(times.slice(-stretch));
  // After a fifth of the steps everything is allocated: the first evaluations have their plans, the first
  // checkpoint is saved.
  const [base, last] = [rows[1], rows.at(-1)];
  console.log(
    `heap: ${percent(last.heap / base.heap)} from step ${base.step} to the end, limit ${percent(maxHeapGrowth)}\n` +
      `GPU: ${last.buffers - base.buffers} buffers and ${last.bytes - base.bytes} bytes more, limit 0\n` +
      `step time: ${early.toFixed(2)} ms in steps ${stretch} to ${2 * stretch}, ${late.toFixed(2)} ms in the last ${stretch} ` +
      `(${percent(late / early)}, limit ${percent(maxTimeGrowth)})`,
  );
  const grown = [
    ...(last.heap > maxHeapGrowth * base.heap ? ['the heap has grown'] : []),
    ...(last.bytes > base.bytes || last.buffers > base.buffers
      ? ['GPU buffers have grown in number or size']
      : []),
    ...(late > maxTimeGrowth * early ? ['a step takes longer'] : []),
  ];
  const { vendor, architecture, description } = adapter;
  const figures = {
    time: new Date().toISOString(),
    chrome: chrome.version,
    adapter: { vendor, architecture, description },
    load: loadavg()[0],
    model: values.small ? 'small' : 'tiny',
    steps,
    stretch,
    rows,
    early,
    late,
    grown,
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(figures, undefined, 1)}\n`);
  console.log(`wrote ${values.json}`);
  console.log(
    grown.length ? `failed: ${grown.join('; ')}` : 'passed: heap, GPU buffers and step time are flat',
  );
  process.exitCode = grown.length ? 1 : 0;
}

function percent(ratio) {
  return `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)} %`;
}
