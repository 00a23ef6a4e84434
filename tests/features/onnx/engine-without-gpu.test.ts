// The engine of sessions whose device has a name: which one, what they say, and what training says.

import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { features } from '../../../src/features/features.ts';
import { Session } from '../../../src/session/session.ts';
import type { SessionEvent } from '../../../src/session/session-event.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { testHost } from '../../support/session.ts';

/** A GPU whose adapter has this info and no limits, so that no device opens. */
const gpuWith = (isFallbackAdapter: boolean) =>
  ({ requestAdapter: async () => ({ info: { isFallbackAdapter }, limits: {} }) }) as unknown as GPU;

/** A session on a host, and what it says. */
function opened(device: 'wasm' | 'auto' | 'gpu', fields: Parameters<typeof testHost>[0] = {}) {
  const events: SessionEvent[] = [];
  const host = testHost({ onnxRuntime: async () => ort, ...fields });
  return { session: new Session(host, { device, features, onEvent: (event) => events.push(event) }), events };
}

const missing = async () => {
  throw new HeddleError('it is not installed', { kind: 'unsupported' });
};

describe('device auto', () => {
  it.each([
    ['there is no WebGPU', undefined],
    ['the GPU adapter is software', gpuWith(true)],
  ])('takes onnxruntime-web and says so if %s', async (text, gpu) => {
    const { session, events } = opened('auto', { gpu: async () => gpu });
    expect((await session.engine()).name).toBe('wasm');
    expect(events).toMatchObject([
      { type: 'message', text: `${text}: models run in WebAssembly (onnxruntime-web)` },
    ]);
  });

  it('keeps a GPU, and a software adapter without onnxruntime-web', async () => {
    const fast = opened('auto', { gpu: async () => gpuWith(false) });
    await expect(fast.session.engine()).rejects.toThrow(
      errorAbout({ kind: 'unsupported', values: ['maxStorageBuffersPerShaderStage'] }),
    );
    const slow = opened('auto', { gpu: async () => gpuWith(true), onnxRuntime: missing });
    await expect(slow.session.engine()).rejects.toThrow(
      errorAbout({ kind: 'unsupported', values: ['maxStorageBuffersPerShaderStage'] }),
    );
    expect(slow.events[0]).toMatchObject({
      text: expect.stringContaining('is missing: it is not installed'),
    });
  });

  it('throws if there is neither', async () => {
    await expect(opened('auto', { onnxRuntime: missing }).session.engine()).rejects.toThrow(
      errorAbout({ kind: 'unsupported', template: 'it is not installed' }),
    );
  });
});

it('says what training needs', async () => {
  const { session } = opened('wasm');
  await expect(session.engine({ trains: true })).rejects.toThrow(
    errorAbout({
      kind: 'unsupported',
      template:
        'Training needs WebGPU, also on a software adapter; onnxruntime-web only runs models. Use device "gpu" or "auto".',
    }),
  );
});

it('names the devices if another name is given', () => {
  expect(() => opened('tpu' as 'gpu')).toThrow(errorAbout({ values: ['gpu', 'wasm', 'auto', 'cpu'] }));
});
