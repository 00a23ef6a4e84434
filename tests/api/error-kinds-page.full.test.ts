// The kinds of errors in a page of Chrome, with the built package: each is provoked by what causes it in an
// application. And cancelled calls, which reject within 300 ms.

import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import type { CDPSession, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as data from '../../src/entries/data.ts';
import type * as library from '../../src/entries/heddle.ts';
import type * as host from '../../src/entries/host.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { packFolder } from '../../src/files/model-archives.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { type Chrome, launchChrome } from '../../src/host/chrome.ts';
import { type FolderServer, type RequestHandler, serveFolder } from '../../src/host/static-server.ts';
import { distFile } from '../support/dist.ts';
import { letterModel } from '../support/saved-model.ts';

/** What the page has: the library, and a few pairs. */
interface TestPage {
  readonly heddle: typeof library & typeof data & typeof host;
  readonly pairs: readonly { readonly source: string; readonly target: string }[];
  /** The kind of what `work` throws, `bug` without a kind, and the message; `nothing` if it throws nothing. */
  kindOf(work: () => unknown): Promise<readonly [kind: string, message: string]>;
}
declare const heddle: TestPage['heddle'];
declare const pairs: TestPage['pairs'];
declare const kindOf: TestPage['kindOf'];

const script = `
import * as library from '/heddle.js';
import * as data from '/data.js';
import * as host from '/host.js';
const heddle = { ...library, ...data, ...host };
const pairs = Array.from({ length: 60 }, (_, i) => ({ source: 'abcde'[i % 5] + 'abc'[i % 3], target: 'edcba'[i % 5] }));
const kindOf = async (work) => {
  try {
    await work();
    return ['nothing', ''];
  } catch (error) {
    return [heddle.errorKind(error) ?? 'bug', error.name + ': ' + error.message];
  }
};
Object.assign(globalThis, { heddle, pairs, kindOf });
`;

const files = memoryFiles();
/** The file of the model that the rest of a URL names; undefined if there is none. */
const fileAt = (name: string): Promise<Uint8Array | undefined> =>
  name === 'model.zip' ? files.read(name) : files.read(`model/${name}`).catch(() => undefined);

/** Servers that fail, by the first part of the path. */
const answers: Readonly<Record<string, (name: string, ...given: Parameters<RequestHandler>) => unknown>> = {
  page: (_, __, response) =>
    response
      .writeHead(200, { 'Content-Type': 'text/html' })
      .end(`<!doctype html><script type="module">${script}</script>`),
  async model(name, _, response) {
    const bytes = await fileAt(name);
    if (bytes) response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
    else response.writeHead(404).end();
  },
  drop: (_, __, response) => response.destroy(),
  async cut(name, request, response) {
    if (!/\.(?:safetensors|zip)$/.test(name)) return answers.model?.(name, request, response);
    const bytes = (await fileAt(name)) as Uint8Array;
    response.writeHead(200, { 'Content-Length': bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
    setTimeout(() => response.destroy(), 50);
  },
  async damaged(name, request, response) {
    if (!/\.(?:safetensors|zip)$/.test(name)) return answers.model?.(name, request, response);
    const bytes = ((await fileAt(name)) as Uint8Array).slice();
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 4;
    response.writeHead(200).end(bytes);
  },
  stall: () => undefined,
  // A single-page application answers with its page.
  app: (_, __, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>'),
  text: (_, __, response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end('no model'),
  ...Object.fromEntries(
    ['403', '404', '500', '503'].map((status) => [
      status,
      (_: string, __: unknown, response: Parameters<RequestHandler>[1]) =>
        response.writeHead(Number(status)).end('no'),
    ]),
  ),
};

let chrome: Chrome;
let server: FolderServer;
let page: Page;
let cdp: CDPSession;
beforeAll(async () => {
  await saveModelFolder(files, 'model', letterModel());
  const archive = new Blob((await packFolder(files, 'model')) as BlobPart[]);
  await files.write('model.zip', new Uint8Array(await archive.arrayBuffer()));
  server = await serveFolder(dirname(distFile('heddle.js')), 0, async (request, response) => {
    const [, way = '', ...path] = (request.url ?? '').split('/');
    const answer = answers[way];
    if (answer) await answer(path.join('/'), request, response);
    return answer !== undefined;
  });
  await launch();
});
afterAll(async () => {
  await chrome?.close();
  await server?.close();
});

async function launch(): Promise<void> {
  chrome = await launchChrome({
    gpu: 'swiftshader',
    args: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'],
  });
}

/** Opens the page anew; `before` runs in it before its scripts. */
async function open(before?: () => void, url = server.url): Promise<void> {
  await page?.close().catch(() => undefined); // its browser may have ended
  page = await chrome.browser.newPage();
  if (before) await page.evaluateOnNewDocument(before);
  await page.goto(`${url}page/`);
  await page.waitForFunction(() => 'kindOf' in globalThis);
  cdp = await page.createCDPSession();
}

/** Expects a kind and a message of work in the page. */
async function expectKind<A extends unknown[]>(
  kind: string,
  message: RegExp,
  work: (...given: A) => Promise<readonly [string, string]>,
  ...given: A
): Promise<void> {
  const [found, text] = await (page.evaluate as (...all: unknown[]) => Promise<[string, string]>)(
    work,
    ...given,
  );
  expect(`${found}: ${text}`, String(given)).toMatch(new RegExp(`^${kind}: .*(?:${message.source})`, 's'));
}

describe('unsupported', () => {
  const load = () => kindOf(async () => (await heddle.loadModel(`${location.origin}/model`)).translate('ab'));
  const train = () => kindOf(() => heddle.train(pairs, { steps: 1, heldOut: 0 }));
  const cases: Readonly<Record<string, [before: () => void, missing: string | undefined, message: RegExp]>> =
    {
      'no WebGPU': [
        () => Reflect.deleteProperty(Navigator.prototype, 'gpu'),
        'webgpu',
        /There is no WebGPU in this Chrome/,
      ],
      'no adapter': [
        () => {
          GPU.prototype.requestAdapter = async () => null;
        },
        'adapter',
        /WebGPU found no adapter/,
      ],
      'an adapter that is refused': [
        () => {
          GPU.prototype.requestAdapter = async () => {
            throw new DOMException('no driver', 'OperationError');
          };
        },
        'adapter',
        /WebGPU opens no device: no driver/,
      ],
      'a device that is refused': [
        () => {
          GPUAdapter.prototype.requestDevice = async () => {
            throw new DOMException('no device', 'OperationError');
          };
        },
        undefined,
        /WebGPU opens no device: no device/,
      ],
    };
  it.each(Object.entries(cases))('is %s', async (_, [before, missing, message]) => {
    await open(before);
    const support = await page.evaluate(() => heddle.isSupported());
    expect(support.missing).toEqual(missing ? [missing] : []);
    await expectKind('unsupported', message, load);
    await expectKind('unsupported', message, train);
    expect(
      await page.evaluate(async () =>
        (await heddle.loadModel(`${location.origin}/model`, { device: 'cpu' })).translate('ab'),
      ),
    ).toBeTypeOf('string');
    await expectKind('unsupported', /onnxruntime-web/, () =>
      kindOf(async () =>
        (await heddle.loadModel(`${location.origin}/model`, { device: 'wasm' })).translate('ab'),
      ),
    );
  });

  it('is a page that is not secure', async () => {
    await open(undefined, server.url.replace('127.0.0.1', 'insecure.test'));
    expect(await page.evaluate(() => heddle.isSupported())).toMatchObject({ missing: ['secure-context'] });
    await expectKind('unsupported', /on https or localhost/, load);
    await expectKind('unsupported', /on https or localhost/, train);
    await expectKind('unsupported', /OPFS/, () => kindOf(() => heddle.loadModel('me/it')));
    // Without a GPU and a storage there is no need for a secure page.
    await expectKind('nothing', /$/, () =>
      kindOf(async () => {
        const model = await heddle.loadModel(`${location.origin}/model`, { device: 'cpu' });
        await model.translate('ab');
        const more = await heddle.train(pairs, { steps: 1, heldOut: 0, device: 'cpu', preset: 'tiny' });
        await heddle.loadModel(new File([await more.toBlob()], 'm.zip'), { device: 'cpu' });
      }),
    );
  });

  it('is no storage, as in private windows', async () => {
    await open(() => Reflect.deleteProperty(StorageManager.prototype, 'getDirectory'));
    await expectKind('unsupported', /OPFS/, () => kindOf(() => heddle.loadModel('me/it')));
    await expectKind('unsupported', /OPFS/, () =>
      kindOf(async () => (await heddle.loadModel(`${location.origin}/model`)).save('x')),
    );
    await expectKind('unsupported', /OPFS/, () =>
      kindOf(() => heddle.train(pairs, { steps: 1, checkpoint: 'x', device: 'cpu' })),
    );
  });
});

describe('network, not-found and input', () => {
  beforeAll(() => open());
  const load = (way: string) =>
    kindOf(async () =>
      (await heddle.loadModel(`${location.origin}/${way}`, { device: 'cpu' })).translate('ab'),
    );
  const pull = (way: string) =>
    kindOf(() =>
      heddle.pullModel('me/it', 'm', { hub: `${location.origin}/${way}`, maxRetries: 0, retryDelay: 1 }),
    );

  it.each([
    ['drop', 'network', /failed/],
    ['500', 'network', /500/],
    ['503', 'network', /503/],
    ['403', 'network', /403/],
    ['404', 'not-found', /config\.json|404/],
    ['app', 'not-found', /config\.json|404/],
    ['text', 'input', /not JSON|not a zip/],
    ['cut', 'network', /failed/],
    ['damaged', 'input', /SHA-256 differs|damaged/],
  ])('of a URL whose server does this: %s', async (way, kind, message) => {
    await expectKind(kind, message, load, way);
    await expectKind(kind, message, load, `${way}/model.zip`);
  });

  it.each([
    ['drop', 'network', /cannot be reached; .*pass \{ hub \}/],
    ['500', 'network', /500/],
    ['403', 'network', /403.*pass \{ token \}/],
    ['404', 'not-found', /404/],
    ['app', 'network', /not JSON/],
  ])('of a hub that does this: %s', async (way, kind, message) => {
    await expectKind(kind, message, pull, way);
  });

  it('of a page without a network', async () => {
    await page.setOfflineMode(true);
    await expectKind('network', /failed/, load, 'model');
    await expectKind('network', /cannot be reached/, pull, '');
    await page.setOfflineMode(false);
  });

  it('of names', async () => {
    await expectKind('not-found', /no model absent/, () => kindOf(() => heddle.loadModel('absent')));
    await expectKind('not-found', /absent/, () => kindOf(() => heddle.readModelFacts('absent')));
    await expectKind('not-found', /absent\.tsv/, () =>
      kindOf(() => heddle.train({ kind: 'tsv', path: 'absent.tsv' }, { steps: 1, device: 'cpu' })),
    );
    await expectKind('not-found', /nothing to resume/, () =>
      kindOf(() => heddle.train(pairs, { checkpoint: 'absent', resume: true, steps: 1, device: 'cpu' })),
    );
  });

  it('of files', async () => {
    for (const [text, name] of [
      ['PK\u0003\u0004 what', 'm.zip'],
      ['what', 'm.safetensors'],
      ['', 'm.zip'],
      ['{"format":', 'config.json'],
      ['no tab', 'pairs.tsv'],
    ] as const)
      await expectKind(
        'input',
        new RegExp(name.replace('.', '\\.')),
        (content, name) => {
          const file = new File([content], name);
          const work = name.endsWith('tsv')
            ? () => heddle.train(file, { steps: 1, device: 'cpu' })
            : () => heddle.loadModel(name === 'config.json' ? [file] : file);
          return kindOf(work);
        },
        text,
        name,
      );
  });

  it.each(['removed', 'changed'])('of a file that is %s after it was chosen', async (how) => {
    await expectKind(
      how === 'removed' ? 'not-found' : 'input',
      /: the file cannot be read; it was changed or removed after it was chosen/,
      async (how) => {
        const root = await navigator.storage.getDirectory();
        const write = async (text: string) => {
          const handle = await root.getFileHandle('chosen.tsv', { create: true });
          const stream = await handle.createWritable();
          await stream.write(text);
          await stream.close();
          return handle.getFile();
        };
        const file = await write('a\tb\nb\ta\n');
        if (how === 'removed') await root.removeEntry('chosen.tsv');
        else await write('another');
        const settings = { steps: 1, device: 'cpu', heldOut: 0 } as const;
        const outcomes = [
          await kindOf(() => heddle.train(file, settings)),
          await kindOf(() => heddle.train({ kind: 'tsv', path: file }, settings)),
          await kindOf(() => heddle.train(pairs, { ...settings, tokenizerFile: file })),
          await kindOf(() => heddle.readPairs(file)),
          await kindOf(() => heddle.loadModel(file)),
          await kindOf(() => heddle.loadModel([new File([file], 'config.json')])),
          await kindOf(() => heddle.train(pairs, { ...settings, init: file })),
        ];
        const kinds = [...new Set(outcomes.map(([kind]) => kind))];
        return [kinds.join(), outcomes.map(([, text]) => text).join('\n')];
      },
      how,
    );
  });
});

describe('memory', () => {
  it('is a plan above the limit, a model above the budget', async () => {
    await open();
    await expectKind('memory', /plan needs .* GiB/, () => {
      const model = { dModel: 2048, heads: 16, feedForward: 8192, encoderLayers: 12, decoderLayers: 12 };
      return kindOf(() => heddle.train(pairs, { steps: 1, heldOut: 0, tokenizer: 'char', model }));
    });
    await expectKind('memory', /memory budget is 1000 B/, () =>
      kindOf(() => heddle.loadModel(`${location.origin}/model`, { memoryBudget: 1000 })),
    );
  });

  it('is a GPU without memory', async () => {
    await open(() => {
      const scopes: string[] = [];
      const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
      GPUDevice.prototype.pushErrorScope = function (filter) {
        scopes.push(filter);
        return pushErrorScope.call(this, filter);
      };
      GPUDevice.prototype.popErrorScope = async function () {
        const filter = scopes.pop();
        const error = await popErrorScope.call(this);
        return filter === 'out-of-memory' ? new GPUOutOfMemoryError('no room') : error;
      };
    });
    await expectKind('memory', /The GPU has no memory for this plan/, () =>
      kindOf(async () => (await heddle.loadModel(`${location.origin}/model`)).translate('ab')),
    );
  });

  it('is an array that cannot be allocated', async () => {
    await open();
    await expectKind('memory', /llocation failed/, async () => {
      const { Float32Array: real } = globalThis;
      globalThis.Float32Array = new Proxy(real, {
        construct(target, given) {
          if (given[0] > 500) throw new RangeError('Array buffer allocation failed'); // as Chrome says it
          return Reflect.construct(target, given);
        },
      });
      try {
        return await kindOf(() => heddle.train(pairs, { steps: 1, heldOut: 0, device: 'cpu' }));
      } finally {
        globalThis.Float32Array = real;
      }
    });
  });
});

describe('device', () => {
  it('is a device of the application that was destroyed, at any moment', async () => {
    await open();
    const outcomes = await page.evaluate(async () => {
      const found: unknown[] = [];
      for (const moment of [0, 50, 400]) {
        const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
        const device = await adapter.requestDevice();
        const model = await heddle.loadModel(`${location.origin}/model`, { device });
        setTimeout(() => device.destroy(), moment);
        const texts = Array.from({ length: 2000 }, (_, i) => 'abcde'.repeat((i % 4) + 1));
        found.push((await kindOf(() => model.translate(texts, { beams: 4 })))[0]);
        found.push((await kindOf(() => model.translate('ab')))[0]);
        found.push((await kindOf(() => heddle.train(pairs, { device, steps: 2, heldOut: 0 })))[0]);
      }
      return found;
    });
    expect([...new Set(outcomes)]).toEqual(['device']);
  });

  it('is a device that was lost in a training; one of the library is replaced', async () => {
    await open();
    const outcomes = await page.evaluate(async () => {
      const settings = { steps: 4, heldOut: 0, tokenizer: 'char', preset: 'tiny' } as const;
      const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
      const device = await adapter.requestDevice();
      const onStep = ({ step }: { step: number }) => void (step === 2 && device.destroy());
      const [own] = await kindOf(() => heddle.train(pairs, { ...settings, device, onStep }));
      const made: GPUDevice[] = [];
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...given) {
        const opened = await requestDevice.apply(this, given);
        made.push(opened);
        return opened;
      };
      let lost = 0;
      const lose = ({ step }: { step: number }) => void (step === 2 && lost++ === 0 && made[0]?.destroy());
      const [replaced] = await kindOf(() => heddle.train(pairs, { ...settings, onStep: lose }));
      return [own, replaced, made.length];
    });
    expect(outcomes).toEqual(['device', 'nothing', 2]);
  });
});

describe('a GPU process that crashes', () => {
  it('is replaced, and of kind device if Chrome gives no new one', async () => {
    await open();
    const browser = await chrome.browser.target().createCDPSession();
    const outcomes: string[] = [];
    // After a few crashes Chrome has no adapter for the page.
    while (outcomes.length < 5 && !outcomes.includes('device')) {
      const outcome = page.evaluate(async () => {
        const model = await heddle.loadModel(`${location.origin}/model`);
        const texts = Array.from({ length: 3000 }, (_, i) => 'abcde'.repeat((i % 4) + 1));
        return kindOf(() => model.translate(texts, { beams: 4 }));
      });
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await browser.send('Browser.crashGpuProcess');
      outcomes.push((await outcome)[0]);
    }
    expect(outcomes.slice(0, -1)).toEqual(outcomes.slice(0, -1).map(() => 'nothing'));
    expect(outcomes.at(-1)).toBe('device');
    await chrome.close();
    await launch();
  });
});

it('quota', async () => {
  await open();
  const { origin } = new URL(server.url);
  await page.evaluate(async () =>
    (await navigator.storage.getDirectory())
      .removeEntry('heddle', { recursive: true })
      .catch(() => undefined),
  );
  for (const quotaSize of [1000, 3000, 6000, 10_000, 20_000]) {
    await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
    await expectKind('quota', /models\/saved\/.*: cannot write: the browser has no room left/, () =>
      kindOf(async () => (await heddle.loadModel(`${location.origin}/model`)).save('saved')),
    );
    await expectKind('quota', /models\/run\/.*: cannot write: the browser has no room left/, () =>
      kindOf(() =>
        heddle.train(pairs, { device: 'cpu', steps: 2, heldOut: 0, preset: 'tiny', checkpoint: 'run' }),
      ),
    );
    const stored = await page.evaluate(async () => {
      const files = await heddle.openBrowserFiles();
      return (await files.exists('models')) ? files.list('models') : [];
    });
    expect(stored, `${quotaSize}`).toEqual([]);
  }
  await cdp.send('Storage.overrideQuotaForOrigin', { origin });
  expect(
    await page.evaluate(async () => {
      await (await heddle.loadModel(`${location.origin}/model`)).save('saved');
      return (await heddle.loadModel('saved', { device: 'cpu' })).translate('ab');
    }),
  ).toBeTypeOf('string');
});

it('timeout', async () => {
  await open();
  const signal = 'TimeoutError: signal timed out';
  await expectKind('timeout', /no data for 0\.3 s/, () => {
    const options = { hub: `${location.origin}/stall`, idleTimeout: 300, maxRetries: 0, retryDelay: 1 };
    return kindOf(() => heddle.pullModel('me/it', 'm', options));
  });
  for (const name of ['/stall', '/stall/m.zip'])
    await expectKind(
      'timeout',
      new RegExp(signal),
      (name) => kindOf(() => heddle.loadModel(location.origin + name, { signal: AbortSignal.timeout(300) })),
      name,
    );
  await expectKind('timeout', new RegExp(signal), () =>
    kindOf(() => heddle.train(pairs, { steps: 1000, signal: AbortSignal.timeout(50) })),
  );
});

/** Milliseconds after the start of a call. */
const moments = [0, 5, 20, 60, 150, 400, 1000, 2500];

it.each([
  'loadModel',
  'pullModel',
  'translate',
  'generate',
  'stream',
  'evaluate',
  'score',
  'train',
  'planTraining',
] as const)('aborted: %s within 300 ms', async (name) => {
  const late: number[] = [];
  for (const moment of moments) {
    await open(); // so that pipelines compile
    const [kind, delay] = await page.evaluate(
      async (name, moment) => {
        const model = await heddle.loadModel(`${location.origin}/model`);
        const texts = Array.from({ length: 200 }, (_, i) => 'abcde'.repeat((i % 4) + 1));
        const many = texts.map((source) => ({ source, target: source }));
        const hub = `${location.origin}/stall`;
        const stop = new AbortController();
        const { signal } = stop;
        const calls = {
          loadModel: () => heddle.loadModel(hub, { signal }),
          pullModel: () => heddle.pullModel('me/it', 'm', { hub, signal }),
          translate: () => model.translate(texts, { beams: 4, signal }),
          generate: () => model.generate(texts, { beams: 2, signal }),
          async stream() {
            for (let i = 0; i < 200; i++) for await (const _ of model.stream('abcde', { signal }));
          },
          evaluate: () => model.evaluate(many, { signal }),
          score: () => model.score(many, { signal }),
          train: () => heddle.train(many, { signal, steps: 1, preset: 'tiny', tokenizer: 'char' }),
          planTraining: () => heddle.planTraining(many, { signal, preset: 'small', tokenizer: 'char' }),
        };
        const begin = performance.now();
        setTimeout(() => stop.abort(), moment);
        const [kind] = await kindOf(calls[name]);
        return [kind, performance.now() - begin - moment] as const;
      },
      name,
      moment,
    );
    if (kind === 'nothing') break; // the call was faster
    expect(kind).toBe('aborted');
    late.push(Math.round(delay));
  }
  console.log(`${name}: ${late.join(', ')} ms`);
  expect(late.length).toBeGreaterThan(1);
  // Other programs on all cores delay a page.
  expect(Math.max(...late)).toBeLessThan(300 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length));
});
