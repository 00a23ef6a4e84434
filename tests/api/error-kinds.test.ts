// The kind of a representative of every error that an application must tell apart.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorKind, errorKind } from '../../src/core/errors.ts';
import { openDevice, wrapDevice } from '../../src/engine/gpu/device.ts';
import { defaultTraits } from '../../src/engine/ops/device-traits.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { loadModel, pullModel } from '../../src/entries/heddle.ts';
import { memoryFiles, readModelFacts } from '../../src/entries/host.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { browserFiles } from '../../src/files/browser-files.ts';
import { diskFiles } from '../../src/host/disk-files.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { optionalPackage } from '../../src/host/optional-package.ts';
import { withTimeout } from '../../src/host/with-timeout.ts';
import '../../src/entries/node.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { add } from '../../src/engine/ops/elementwise/elementwise-ops.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { browserHost } from '../../src/session/host.ts';
import { Session } from '../../src/session/session.ts';
import { neededLimits } from '../../src/session/session-device.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { fakeDisk } from '../support/fake-opfs.ts';
import { letterModel } from '../support/saved-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-kinds-'));
const cpu = { device: 'cpu' } as const;
let hub: Hub;
beforeAll(async () => {
  process.env.HEDDLE_CACHE = join(folder, 'cache');
  hub = await startHub({
    'config.json': new TextEncoder().encode('{}'),
    'model.safetensors': new Uint8Array(10),
  });
  await saveModelFolder(nodeFiles(), join(folder, 'model'), letterModel());
});
afterAll(async () => {
  delete process.env.HEDDLE_CACHE;
  await hub.close();
  rmSync(folder, { recursive: true });
});

/** The kind of what `work` throws. */
const kindOf = async (work: () => unknown): Promise<ErrorKind | undefined | 'nothing'> => {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    return errorKind(error);
  }
};

const pull = (name: string, more = {}) =>
  pullModel(name, 'm', { hub: hub.url, files: memoryFiles(), maxRetries: 0, retryDelay: 1, ...more });

/** A WebGPU with one adapter, or none. */
const gpuWith = (adapter: unknown) => ({ requestAdapter: async () => adapter }) as unknown as GPU;

/** A device that reports what the test makes it report. */
function fakeDevice(lost: Promise<unknown>) {
  const events = new EventTarget();
  const device = Object.assign(events, { lost, features: new Set(), limits: {}, adapterInfo: {} });
  return { events, device: wrapDevice(device as unknown as GPUDevice) };
}

class GPUOutOfMemoryError {
  readonly message = 'no room';
}

const tests: Readonly<Record<ErrorKind, Readonly<Record<string, () => unknown>>>> = {
  unsupported: {
    'no WebGPU': () => openDevice(undefined),
    'no WebGPU in the host of a session': () =>
      new Session({ ...browserHost(), gpu: async () => undefined }).engine(),
    'no adapter': () => openDevice(gpuWith(null)),
    'an adapter whose device is refused': () =>
      openDevice(
        gpuWith({
          limits: {},
          features: new Set(),
          requestDevice: () => Promise.reject(new DOMException('no device', 'OperationError')),
        }),
      ),
    'a limit that is too low': () => openDevice(gpuWith({ limits: {} }), { require: neededLimits }),
    'a limit that is too low for a training': () =>
      train([{ source: 'a', target: 'b' }], {
        device: gpuWith({ limits: { ...neededLimits, maxComputeWorkgroupSizeX: 128 } }),
        heldOut: 0,
        steps: 1,
      }),
    'a package of Node that is not installed': () =>
      optionalPackage('absent-package', () => import('absent-package' as string), 'do without'),
  },
  network: {
    'a server that cannot be reached': () => pull('me/it', { hub: 'http://127.0.0.1:9' }),
    'a hub that answers 500': () => {
      hub.state.statuses = { '/main': [500] };
      return pull('me/it');
    },
    'a model that is private': () => {
      hub.state.statuses = { '/main': [401] };
      return pull('me/it');
    },
    'a URL that cannot be reached': () => loadModel('http://127.0.0.1:9/model', cpu),
  },
  'not-found': {
    'a folder': () => loadModel(join(folder, 'absent'), cpu),
    'a folder whose configuration is read': () => readModelFacts(join(folder, 'absent')),
    'a model on the hub': () => pull('me/other'),
    'a model on the hub, for loadModel': () => loadModel('me/other', { ...cpu, hub: hub.url }),
    'a file on a disk': () => nodeFiles().read(join(folder, 'absent')),
    'a file in memory': () => memoryFiles().read('absent'),
    "a file in the browser's storage": async () => browserFiles(fakeDisk().open()).read('absent'),
    'a corpus': () => train({ kind: 'tsv', path: join(folder, 'absent.tsv') }, { ...cpu, steps: 1 }),
    'a tokenizer file': () =>
      train([{ source: 'a', target: 'b' }], {
        ...cpu,
        heldOut: 0,
        tokenizerFile: join(folder, 'absent.json'),
      }),
  },
  input: {
    'an unknown option': () => train([{ source: 'a', target: 'b' }], { ...cpu, stpes: 3 } as object),
    'an option out of range': () => train([{ source: 'a', target: 'b' }], { ...cpu, steps: -1 }),
    'a pair that is not text': () => train([{ source: 'a', target: 3 as unknown as string }], cpu),
    'no pairs': () => train([], cpu),
    'a text that is not text': async () =>
      (await loadModel(join(folder, 'model'), cpu)).translate(3 as unknown as string),
    'a decoding option': async () =>
      (await loadModel(join(folder, 'model'), cpu)).translate('a', { beams: 0 }),
    'a damaged file': () => loadModel(new File(['nonsense'], 'm.zip'), cpu),
    'a name that is no model': () => pull('nonsense'),
  },
  memory: {
    'a plan that does not fit the device': () => {
      const graph = new Graph();
      const x = graph.input('x', 'f32', [64]);
      graph.output('y', add(graph, x, x));
      makePlan(graph, { traits: { ...defaultTraits, maxBindingBytes: 64 } });
    },
    'an array that cannot be allocated': () => {
      throw new RangeError('Array buffer allocation failed');
    },
    'an error of the device': () => {
      const { events, device } = fakeDevice(new Promise(() => undefined));
      events.dispatchEvent(Object.assign(new Event('uncapturederror'), { error: new GPUOutOfMemoryError() }));
      device.check();
    },
  },
  device: {
    'a lost device': async () => {
      const { device } = fakeDevice(Promise.resolve({ reason: 'unknown', message: 'gone' }));
      await device.lost();
      device.check();
    },
  },
  quota: {
    "a browser's storage that is full": async () => {
      const disk = fakeDisk();
      disk.quota = 10;
      await browserFiles(disk.open()).write('a', new Uint8Array(100));
    },
    'a disk that is full': () => {
      const full = async () => {
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      };
      const disk = new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : full) });
      return diskFiles(disk as Parameters<typeof diskFiles>[0]).read('a');
    },
  },
  timeout: {
    'work with a limit': () => withTimeout(1, 'waiting', new Promise(() => undefined)),
    'a server that sends nothing': () => {
      hub.state.stalls = { 'config.json': 1 };
      return pull('me/it', { idleTimeout: 50 });
    },
  },
  aborted: {
    'a signal': () => pull('me/it', { signal: AbortSignal.abort() }),
  },
};

describe.each(Object.entries(tests))('the kind %s', (kind, cases) => {
  it.each(Object.entries(cases))('is that of %s', async (_, work) => {
    expect(await kindOf(work)).toBe(kind);
  });
});
