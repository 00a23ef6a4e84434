// What isSupported says about hosts that lack something.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { isSupported } from '../../src/api/is-supported.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { neededLimits } from '../../src/session/session-device.ts';

const gpuWith = (adapter: unknown) => async () => ({ requestAdapter: async () => adapter }) as unknown as GPU;

describe('isSupported', () => {
  afterAll(() => registerHost(nodeHost())); // other files of the worker use it
  afterEach(() => Reflect.deleteProperty(globalThis, 'isSecureContext'));

  it('is true with an adapter that has the limits', async () => {
    registerHost({ gpu: gpuWith({ limits: neededLimits }) });
    expect(await isSupported()).toEqual({ supported: true, reasons: [], missing: [], isSoftware: false });
  });

  it('names what is missing, and what to do', async () => {
    registerHost({ gpu: async () => undefined });
    expect(await isSupported()).toMatchObject({
      supported: false,
      missing: ['webgpu'],
      reasons: [expect.stringContaining('Use a current')],
    });
    Reflect.set(globalThis, 'isSecureContext', false);
    expect(await isSupported()).toMatchObject({
      missing: ['secure-context'],
      reasons: [expect.stringContaining('https or localhost')],
    });
    registerHost({ gpu: gpuWith(null) });
    expect(await isSupported()).toMatchObject({
      missing: ['adapter'],
      reasons: [expect.stringContaining('hardware acceleration')],
    });
    registerHost({ gpu: gpuWith({ limits: { ...neededLimits, maxBufferSize: 2 ** 20 } }) });
    expect(await isSupported()).toMatchObject({
      supported: false,
      missing: ['limits'],
      reasons: [expect.stringContaining('maxBufferSize')],
    });
  });

  it('passes on why the WebGPU of the host does not start', async () => {
    const reason = 'the package "webgpu" is not installed: run "npm install webgpu"';
    registerHost({
      gpu: async () => {
        throw new HeddleError(reason, { kind: 'unsupported' });
      },
    });
    expect(await isSupported()).toEqual({
      supported: false,
      missing: ['webgpu'],
      reasons: [reason],
      isSoftware: false,
    });
  });
});
