// The engines of sessions whose device the caller has named: onnxruntime-web without a GPU, the references, and the
// choice between onnxruntime-web and a GPU. Only such sessions load this file.

import { HeddleError, messageOf } from '../../core/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Host } from '../../session/host.ts';
import type { SessionDevice } from '../../session/session-device.ts';
import type { SessionEvent } from '../../session/session-event.ts';
import type { OnnxRuntime } from './engine/onnx-runtime.ts';

/** What the choice reads of a session. */
interface NamedSession {
  readonly host: Host;
  readonly device: Pick<SessionDevice, 'name'>;
  emit(event: SessionEvent): void;
}

/**
 * The engine of a session whose device has a name: that of the references, or that on onnxruntime-web if the device is
 * `wasm`, or `auto` and there is no GPU; undefined if the GPU is to be used. Throws a HeddleError if a training is to
 * run on onnxruntime-web, or if that is missing.
 */
export async function engineWithoutGpu(session: NamedSession, trains: boolean): Promise<Engine | undefined> {
  const { host, device } = session;
  if (device.name === 'cpu') return (await import('../../engine/cpu-engine.ts')).cpuEngine();
  if (device.name === 'gpu' || (device.name === 'auto' && trains)) return undefined;
  if (trains)
    throw new HeddleError(
      'Training needs WebGPU, also on a software adapter; onnxruntime-web only runs models. Use device "gpu" or "auto".',
      { kind: 'unsupported' },
    );
  if (device.name === 'wasm') return onnxEngine(await runtimeOf(host));
  const missing = await missingGpu(host);
  if (!missing) return undefined;
  try {
    const engine = onnxEngine(await runtimeOf(host));
    session.emit({ type: 'message', text: `${missing.text}: models run in WebAssembly (onnxruntime-web)` });
    return engine;
  } catch (error) {
    if (!missing.isSlow) throw error;
    const text = `${missing.text}, and onnxruntime-web, which would be faster, is missing: ${messageOf(error)}`;
    session.emit({ type: 'message', text });
    return undefined;
  }
}

const onnxEngine = async (runtime: OnnxRuntime): Promise<Engine> =>
  (await import('./onnx-engine.ts')).onnxEngine(runtime);

/** The module onnxruntime-web of a host; by default the one of an import map. */
async function runtimeOf(host: Host): Promise<OnnxRuntime> {
  if (host.onnxRuntime) return host.onnxRuntime();
  const name = 'onnxruntime-web';
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch (error) {
    throw new HeddleError(
      'Models without a GPU need the package onnxruntime-web: install it, and give registerHost a function ' +
        'onnxRuntime that imports it, or put its name into an import map.',
      { kind: 'unsupported', cause: error },
    );
  }
}

/** Why no GPU is used; undefined if there is one. `isSlow`: there is a software adapter. */
async function missingGpu(
  host: Host,
): Promise<{ readonly text: string; readonly isSlow: boolean } | undefined> {
  try {
    const gpu = await host.gpu();
    const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) return { text: gpu ? 'there is no GPU adapter' : 'there is no WebGPU', isSlow: false };
    const info: GPUAdapterInfo | undefined = adapter.info; // browsers may leave it out
    return info?.isFallbackAdapter ? { text: 'the GPU adapter is software', isSlow: true } : undefined;
  } catch (error) {
    return { text: `there is no GPU (${messageOf(error)})`, isSlow: false };
  }
}
