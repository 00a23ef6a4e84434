// The training session of the built page in Chrome: training, pausing, translating during training, lost
// devices, closed tabs, and models exchanged with the command line.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, WebWorker } from 'puppeteer';
import { expect, it } from 'vitest';
import type { StoredModel } from '../../demo/storage/model-store.ts';
import type { Session } from '../../demo/train/page/training-session.ts';
import type { SessionEvent, TrainingSettings } from '../../demo/train/protocol.ts';
import { unzipModel } from '../../src/files/model-archives.ts';
import { unzip } from '../../src/files/zip.ts';
import type { TrainSettings } from '../../src/train/settings/train-settings.ts';
import { heddleProcess, scratch } from '../support/cli.ts';
import { demo, ownChrome } from '../support/demo.ts';
import { itInFull } from '../support/in-full.ts';
import { tinyCorpus, tinySizes } from '../support/training.ts';

// The page's own models never arrive: its first translation would compile kernels that no test here needs.
// In test:full it crashes the GPU process.
const { open } = demo(async ({ url = '' }) => url.endsWith('.safetensors'), ownChrome);
// Each training compiles its kernels, which takes half a minute on a busy machine.

const settings = (name: string, changed: TrainSettings = {}): TrainingSettings => ({
  name,
  corpus: { kind: 'text', name: 'pairs.tsv', data: tinyCorpus },
  settings: {
    heldOut: 0.1,
    preset: 'tiny',
    model: { ...tinySizes, dropout: 0.1 },
    tokenizer: 'word',
    vocabSize: 60,
    batchSize: 8,
    buckets: 1,
    steps: 12,
    schedule: 'constant',
    learningRate: 1e-2,
    seed: 3,
    evalSteps: 0,
    devSentences: 0,
    saveSeconds: 20,
    ...changed,
  },
});

/** Opens the page with a session whose events are collected for the test. */
async function openSession(): Promise<{ page: Page; errors: readonly string[] }> {
  const { page, errors } = await open('train.html?tune=0');
  await page.waitForFunction('globalThis.heddlePage');
  await page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(globalThis, { heard });
    // A separate session: the page makes calls on its own session.
    const session = globalThis.heddlePage?.createSession();
    Object.assign(globalThis, { session });
    session?.on((event) => heard.push(event));
  });
  return { page, errors };
}
const events = (page: Page): Promise<SessionEvent[]> =>
  page.evaluate(() => (globalThis as unknown as { heard: SessionEvent[] }).heard);
const losses = async (page: Page): Promise<number[]> =>
  (await events(page)).flatMap((e) => (e.type === 'steps' ? e.steps.map((s) => s.loss) : []));
const states = async (page: Page): Promise<string[]> =>
  (await events(page)).flatMap((e) => (e.type === 'state' ? [e.state] : []));
/** Runs `work` with the session in the page. */
const ask = <T>(
  page: Page,
  work: (session: Session, given: never) => Promise<T> | T,
  given?: unknown,
): Promise<T> => page.evaluate(`(${work})(globalThis.session, ${JSON.stringify(given)})`) as Promise<T>;
/** Kind and message of the error of a call that must fail. */
const failure = (page: Page, work: (session: Session, given: never) => Promise<unknown>, given?: unknown) =>
  page.evaluate(
    `(${work})(globalThis.session, ${JSON.stringify(given)}).then(() => 'it did not fail', (e) => e.kind + ': ' + e.message)`,
  ) as Promise<string>;
const heard = (page: Page, test: string): Promise<unknown> =>
  page.waitForFunction(`heard.some((e) => ${test})`, { polling: 20 });
const untilState = (page: Page, state: string) => heard(page, `e.type === 'state' && e.state === '${state}'`);
const untilStep = (page: Page, step: number) =>
  heard(page, `e.type === 'steps' && e.steps.at(-1).step >= ${step}`);

/** The worker of the newest session. */
const workerOf = async (page: Page): Promise<WebWorker> => {
  const named = await Promise.all(
    page.workers().map(async (w) => [w, await w.evaluate(() => self.name)] as const),
  );
  const ours = named.filter(([, name]) => name.startsWith('heddle')).map(([worker]) => worker);
  return ours.at(-1) as WebWorker;
};

let calm: Promise<{ page: Page; errors: readonly string[]; losses: number[] }> | undefined;
/** An undisturbed training on its own page, and its 30 losses. */
const undisturbed = () => {
  calm ??= (async () => {
    const { page, errors } = await openSession();
    await ask(
      page,
      (s, given) => s.start(given),
      settings('calm', { steps: 30, evalSteps: 20, devSentences: 2 }),
    );
    await untilState(page, 'done');
    return { page, errors, losses: await losses(page) };
  })();
  return calm;
};
const texts = ['one two', 'red sun xxx'];

it('describes a training run, trains, translates, and exchanges models with the command line', async () => {
  const { page, errors, losses: came } = await undisturbed();
  const facts = await ask(page, (s, given) => s.describe(given), settings('calm'));
  expect(facts).toMatchObject({
    corpus: { name: 'pairs.tsv', pairs: 96, train: 89, skipped: 0, sourceVocabulary: 15, badLines: '' },
    parameters: 1843,
    shapes: ['8x8x8'],
    steps: 12,
    stepsPerEpoch: 12,
    fits: true,
    software: true,
  });
  expect(facts.corpus.sourceLength.histogram.reduce((a, b) => a + b)).toBe(89);
  expect(facts.planned.peak).toBe(facts.planned.inputs + facts.planned.states + facts.planned.slots);

  // A forecast of a million pairs is estimated from a few thousand, and a later call aborts it.
  const many = {
    ...settings('many'),
    corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 1_000_000, seed: 1 },
  };
  const [aborted, estimate] = await ask(
    page,
    (s, given: TrainingSettings) =>
      Promise.all([s.describe(given).catch((e) => e.kind), s.describe(given).then(({ corpus }) => corpus)]),
    many,
  );
  expect([aborted, estimate]).toMatchObject(['aborted', { pairs: 1_000_000, sampled: 4000 }]);

  expect(came).toHaveLength(30);
  expect(await states(page)).toEqual(['preparing', 'training', 'done']);
  const received = await events(page);
  expect(received.flatMap((e) => (e.type === 'evaluation' ? [e.eval.step] : []))).toEqual([20, 30]);
  expect(received.flatMap((e) => (e.type === 'samples' ? [e.samples.length] : []))).toEqual([2, 2]);
  expect(received.filter((e) => e.type === 'checkpoint').at(-1)).toMatchObject({ model: 'calm', step: 30 });
  const { models } = await ask(page, (s) => s.storage());
  expect(models).toMatchObject([
    {
      name: 'calm',
      step: 30,
      steps: 30,
      unfinished: false,
      parameters: 1843,
      corpus: 'pairs.tsv',
      lock: 'free',
    },
  ]);

  // Greedy decoding streams its tokens.
  const translated = await ask(
    page,
    async (s, given: string[]) => {
      const pieces: string[] = [];
      const greedy = await Promise.all(given.map((t) => s.translate(t, {}, (p) => pieces.push(p.text))));
      return { greedy: greedy.map((t) => t.text), said: pieces.join(''), at: greedy.map((t) => t.step) };
    },
    texts,
  );
  expect(translated.said).toBe(translated.greedy.join(''));
  expect(translated.at).toEqual([30, 30]);
  const attention = await ask(
    page,
    async (s, given) => {
      const [best] = (await s.translate(given, { attention: true })).candidates;
      const [map] = best?.attention ?? [];
      return { ...map, weights: [...(map?.weights ?? [])] };
    },
    texts[0],
  );
  const { layers = 0, heads = 0, target = [], source = [], weights } = attention;
  expect([source.slice(0, 2), source.at(-1)]).toEqual([['one', 'two'], '[end]']);
  expect(weights).toHaveLength(layers * heads * target.length * source.length);
  expect(weights.slice(0, source.length).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  expect(await failure(page, (s) => s.translate('one', { beams: 0 }))).toMatch(/^user: decode: beams is 0/);

  // Export to the command line and back, as an archive with the checkpoint and as safetensors without.
  const exported = async (
    how: 'exportArchive' | 'exportSafetensors' | 'exportOnnx',
    file: string,
  ): Promise<string> => {
    const base64 = await page.evaluate(async (how) => {
      const { session } = globalThis as unknown as { session: Session };
      const bytes = new Uint8Array(await (await session[how]('calm')).arrayBuffer());
      return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
    }, how);
    writeFileSync(join(scratch(), file), Buffer.from(base64, 'base64'));
    return join(scratch(), file);
  };
  const imported = (bytes: Uint8Array, name: string): Promise<string> =>
    page.evaluate(
      (base64, name) => {
        const { session } = globalThis as unknown as { session: Session };
        return session.importArchive(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]), name);
      },
      Buffer.from(bytes).toString('base64'),
      name,
    );
  const file = await exported('exportSafetensors', 'calm.safetensors');
  const printed = await heddleProcess(['translate', '--no-tune', file, ...texts]);
  expect([printed.status, printed.stdout.trim()]).toEqual([0, translated.greedy.join('\n')]);
  const onnx = await exported('exportOnnx', 'calm-onnx.zip');
  expect(Object.keys(await unzip(readFileSync(onnx), onnx)).sort()).toEqual([
    ...[
      'README.md',
      'config.json',
      'generation_config.json',
      'heddle-manifest.json',
      'heddle.safetensors',
      'onnx/decoder_model_merged_quantized.onnx',
    ],
    ...['onnx/encoder_model_quantized.onnx', 'tokenizer.json', 'tokenizer_config.json'],
  ]);
  const zip = await exported('exportArchive', 'calm.zip');
  const resumed = await heddleProcess([
    'train',
    '--no-tune',
    '--resume',
    '--out',
    zip,
    '--steps',
    '31',
    '--test-sentences',
    '0',
  ]);
  expect([resumed.status, resumed.stderr]).toEqual([0, expect.stringContaining('resumed at step 30')]);
  expect(await imported(readFileSync(zip), 'calm.zip')).toBe('calm 2');
  const { 'model.safetensors': written } = await unzipModel(readFileSync(zip), zip);
  expect(await imported(written as Uint8Array, 'from node.safetensors')).toBe('from node');
  await ask(page, (s) => s.load('from node'));
  const from = await ask(page, (s, given: string) => s.translate(given), texts[0]);
  expect([from.model, typeof from.text]).toEqual(['from node', 'string']);
  const after = await ask(page, (s) => s.storage());
  expect(new Map(after.models.map(({ name, step, steps }) => [name, [step, steps]]))).toEqual(
    new Map([
      ['from node', [0, 0]],
      ['calm 2', [31, 31]],
      ['calm', [30, 30]],
    ]),
  );
  expect(await failure(page, (s) => s.importArchive(new Blob(['no']), 'broken.safetensors'))).toMatch(
    /^user: broken\.safetensors: not a valid safetensors file/,
  );
  expect(await failure(page, (s) => s.importArchive(new Blob(['PK no']), 'broken.zip'))).toMatch(
    /^user: broken\.zip:/,
  );
  for (const name of ['calm 2', 'from node']) await ask(page, (s, given: string) => s.remove(given), name);
  expect(errors).toEqual([]);
  await page.close();
});

// Compiles the kernels of a training three times. recovery.test.ts has a lost device, train-visits.test.ts
// what the page shows.
itInFull(
  'computes the same losses, bit for bit, after the device is destroyed and after the GPU process crashes',
  async () => {
    const { page, errors } = await openSession();
    await ask(page, (s, given) => s.start(given), settings('shaken', { steps: 30, saveSeconds: 0.1 }));
    await untilStep(page, 8);
    await ask(page, (s) => s.loseDevice());
    await heard(page, "e.type === 'recovery'");
    await untilStep(page, 16);
    const chrome = await page.browser().target().createCDPSession();
    await chrome.send('Browser.crashGpuProcess').catch(() => undefined);
    await untilState(page, 'done');
    const { losses: calm } = await undisturbed();
    expect(await losses(page)).toEqual(calm);
    const received = await events(page);
    expect(received.flatMap((e) => (e.type === 'steps' ? e.steps.map((s) => s.step) : []))).toEqual(
      calm.map((_, i) => i + 1),
    );
    const recovered = received.flatMap((e) => (e.type === 'recovery' ? [e.text] : []));
    expect(recovered).toEqual(
      Array(2).fill(
        expect.stringMatching(
          /^The GPU device was lost \(.+\)\. There is a new device; training continues from/,
        ),
      ),
    );
    expect(received.filter((e) => e.type === 'warning')).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  },
);

itInFull(
  'trains in a hidden tab and after a sleep, locks its model for other tabs, and resumes after the tab is closed',
  async () => {
    const first = await openSession();
    await ask(
      first.page,
      (s, given) => s.start(given),
      settings('long', { steps: 100_000, saveSeconds: 0.1 }),
    );
    await heard(first.page, "e.type === 'checkpoint'");
    const second = await openSession();
    await second.page.bringToFront();
    const before = (await losses(first.page)).length;
    expect(await first.page.evaluate(() => document.visibilityState)).toBe('hidden');
    await untilStep(first.page, before + 20);

    // The computer sleeps for an hour: training continues, warns, and does not count the time.
    await (await workerOf(first.page)).evaluate(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + 3_600_000;
    });
    await heard(
      first.page,
      "e.type === 'warning' && /^36\\d\\d s without an update are not counted/.test(e.text)",
    );
    await untilStep(first.page, before + 25);
    const seconds = (await events(first.page)).flatMap((e) =>
      e.type === 'steps' ? e.steps.map((s) => s.seconds) : [],
    );
    expect(Math.max(...seconds)).toBeLessThan(3600);

    // The other tab can read the model but not write it.
    const inOther = await ask(second.page, (s) => s.storage());
    expect(inOther.models.find((m) => m.name === 'long')).toMatchObject({
      lock: 'other-tab',
      unfinished: true,
    });
    const taken = /^locked: The model long is being trained in another tab\. This tab can translate with it/;
    for (const rejected of [
      failure(second.page, (s) => s.resume('long')),
      failure(second.page, (s, given) => s.start(given, { replace: true }), settings('long')),
      failure(second.page, (s) => s.remove('long')),
    ])
      expect(await rejected).toMatch(taken);
    expect(await failure(second.page, (s, given) => s.start(given), settings('long'))).toMatch(
      /^exists: A model long is already/,
    );
    await ask(second.page, (s) => s.load('long'));
    expect((await ask(second.page, (s) => s.translate('one two'))).model).toBe('long');

    // While weights change, each translation has the attention of its own tokens.
    const translations = await ask(first.page, (s) =>
      Promise.all([
        s.translate('one two', { attention: true }),
        s.translate('one two', { attention: true, method: 'beam', beams: 3, numReturn: 3 }),
        s.translate('one two', { attention: true, method: 'sample', temperature: 3, seed: 7 }),
      ]),
    );
    expect(translations.map(({ candidates }) => candidates.length)).toEqual([1, 3, 1]);
    for (const { text, ids, attention } of translations.flatMap(({ candidates }) => candidates)) {
      const words = attention?.[0]?.target.filter((token) => token !== '[end]') ?? [];
      expect([words.length, words.join('')]).toEqual([ids.length, text.replaceAll(' ', '')]);
    }

    // A pause saves a checkpoint; translating remains possible.
    await ask(first.page, (s) => s.pause());
    const paused = await ask(first.page, (s) => s.translate('one two'));
    const reached = (await losses(first.page)).length;
    expect([paused.step, (await states(first.page)).at(-1)]).toEqual([reached, 'paused']);
    expect((await events(first.page)).filter((e) => e.type === 'checkpoint').at(-1)).toMatchObject({
      step: reached,
    });
    // A single step trains one update and saves it; its events come before the answer.
    const stepped = await ask(first.page, async (s) => {
      await s.singleStep();
      const heard = (globalThis as unknown as { heard: SessionEvent[] }).heard.slice();
      return heard.flatMap((e) => (e.type === 'steps' ? e.steps.map((x) => x.step) : [])).at(-1);
    });
    expect([stepped, (await states(first.page)).at(-1)]).toEqual([reached + 1, 'paused']);
    expect((await events(first.page)).filter((e) => e.type === 'checkpoint').at(-1)).toMatchObject({
      step: reached + 1,
    });
    // Settings that change now stay with the run.
    expect(await failure(first.page, (s) => s.change({ dropout: 2 }))).toMatch(
      /^user: dropout \(2\) must be a number/,
    );
    await ask(first.page, (s) => s.change({ learningRate: 2e-3, dropout: 0.4 }));
    const change = { type: 'change', step: reached + 1, learningRate: 2e-3, dropout: 0.4 };
    expect((await events(first.page)).filter((e) => e.type === 'change')).toEqual([
      { type: 'change', change },
    ]);
    await ask(first.page, (s) => s.continue());
    await untilStep(first.page, reached + 5);
    const used = (await events(first.page)).flatMap((e) => (e.type === 'steps' ? e.steps : []));
    expect(used.slice(reached, reached + 2).map((s) => s.learningRate)).toEqual([1e-2, 2e-3]);
    await heard(first.page, `e.type === 'checkpoint' && e.step >= ${reached + 5}`);
    const seen = await losses(first.page);
    await first.page.close();

    // After the tab is closed, the other tab resumes from the last checkpoint with the same losses.
    await second.page.waitForFunction(
      "session.storage().then((s) => s.models.some((m) => m.name === 'long' && m.lock === 'free'))",
      { polling: 200 },
    );
    const left = (await ask(second.page, (s) => s.storage())).models.find(
      (m) => m.name === 'long',
    ) as StoredModel;
    expect(left.step).toBeGreaterThanOrEqual(reached + 5);
    await ask(second.page, (s, steps) => s.resume('long', { steps }), left.step + 5);
    await untilState(second.page, 'done');
    const history = (await events(second.page)).flatMap((e) => (e.type === 'history' ? e.steps : []));
    expect((await events(second.page)).flatMap((e) => (e.type === 'history' ? e.changes : []))).toEqual([
      change,
    ]);
    // The page keeps the last 500 of more than 1,000 updates, and every second one before.
    expect([history[0]?.step, history.at(-1)?.step]).toEqual([1, left.step]);
    expect(history.length).toBeGreaterThan(Math.min(left.step, 600) - 1);
    const resumed = (await events(second.page)).flatMap((e) => (e.type === 'steps' ? e.steps : []));
    const { losses: calm } = await undisturbed();
    for (const { step, loss } of [...history, ...resumed]) {
      if (step <= seen.length) expect(loss, `step ${step}`).toBe(seen[step - 1]);
      if (step <= Math.min(30, reached + 1)) expect(loss, `step ${step}`).toBe(calm[step - 1]); // up to the change
    }
    expect([...first.errors, ...second.errors]).toEqual([]);
    await second.page.close();
  },
);

// Compiles the kernels of a training three times. train-page.test.ts has the message, recovery.test.ts the
// limit.
itInFull('ends with a clear message if the device is lost three times in a minute', async () => {
  const { page, errors } = await openSession();
  await ask(page, (s, given) => s.start(given), settings('cursed', { steps: 1000, saveSeconds: 0.1 }));
  // Lose the device again as soon as it is back.
  await page.evaluate(() => {
    const { session } = globalThis as unknown as { session: Session };
    session.on((e) => {
      if (e.type === 'state' && e.state === 'training') void session.loseDevice();
    });
    void session.loseDevice();
  });
  await untilState(page, 'failed');
  const received = await events(page);
  expect(received.filter((e) => e.type === 'recovery')).toHaveLength(2);
  expect(received.at(-1)).toMatchObject({
    text: expect.stringMatching(
      /^The GPU device was lost 3 times within a minute, so training has stopped.*Try a smaller/,
    ),
  });
  expect(errors).toEqual([]);
  await page.close();
});

itInFull(
  'reports what does not fit before it starts, and continues training if the storage is full',
  async () => {
    const { losses: calm } = await undisturbed(); // before the quota is reduced
    const { page, errors } = await openSession();
    const huge = settings('huge', {
      batchSize: 60_000,
      model: { dModel: 512, heads: 8, feedForward: 512, maxLength: 16 },
    });
    const { fits, reason: why } = await ask(page, (s, given) => s.describe(given), huge);
    expect([fits, why]).toEqual([false, expect.stringMatching(/needs .*\d bytes/)]);
    expect(await failure(page, (s, given) => s.start(given), huge)).toMatch(/^memory: .*needs .*\d bytes/);

    // A plan that fits can still run out of memory: this training does not start, the next one can.
    await (await workerOf(page)).evaluate(() => {
      const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
      const filters: GPUErrorFilter[] = [];
      GPUDevice.prototype.pushErrorScope = function (filter) {
        filters.push(filter);
        pushErrorScope.call(this, filter);
      };
      GPUDevice.prototype.popErrorScope = async function () {
        const found = popErrorScope.call(this);
        if (filters.pop() !== 'out-of-memory') return found;
        Object.assign(GPUDevice.prototype, { pushErrorScope, popErrorScope });
        await found;
        return new GPUOutOfMemoryError('no memory');
      };
    });
    const taken = settings('taken');
    expect(await failure(page, (s, given) => s.start(given), taken)).toMatch(
      /^memory: The GPU has no memory for this plan of [\d.]+ [KM]iB; use a smaller batch or model\.$/,
    );
    expect((await states(page)).at(-1)).toBe('failed');
    expect((await ask(page, (s) => s.storage())).models.map(({ name }) => name)).not.toContain('taken');

    const cdp = await page.createCDPSession();
    const { origin } = new URL(page.url());
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    await ask(page, (s, given) => s.start(given), settings('full', { saveSeconds: 0.1, steps: 30 }));
    await heard(page, "e.type === 'state' && e.state === 'failed' && e.model === 'full'");
    const received = await events(page);
    const full = /the browser has no room left \(.* MB are used\); delete models/;
    expect(received.find((e) => e.type === 'warning')).toMatchObject({ text: expect.stringMatching(full) });
    expect(received.at(-1)).toMatchObject({ text: expect.stringMatching(full) });
    // Nothing is lost: the training has ended, and its model can translate and be exported.
    expect((await losses(page)).slice(-30)).toEqual(calm);
    expect((await ask(page, (s) => s.translate('one two'))).step).toBe(30);
    expect(await ask(page, async (s) => (await s.exportArchive('full')).size)).toBeGreaterThan(10_000);
    await cdp.send('Storage.overrideQuotaForOrigin', { origin });
    expect(errors).toEqual([]);
    await page.close();
  },
);
