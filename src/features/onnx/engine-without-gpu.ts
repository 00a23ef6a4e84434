// The engine of sessions without a GPU: onnxruntime-web, and the choice between it and a GPU.

import { HeddleError, reasonOf } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Host } from '../../session/host.ts';
import type { EngineSession } from '../../session/named-engines.ts';
import type { OnnxRuntime } from './engine/onnx-runtime.ts';
import { onnxEngine } from './onnx-engine.ts';

/**
 * The engine on onnxruntime-web of the device `wasm`, or of `auto` if there is no GPU; undefined if the GPU is to be
 * used. Throws a HeddleError if a training is to run on `wasm`, or if onnxruntime-web is missing.
 */
export async function engineWithoutGpu(
  device: 'wasm' | 'auto',
  session: EngineSession,
  trains: boolean,
): Promise<Engine | undefined> {
  const { host } = session;
  if (device === 'auto' && trains) return undefined;
  if (trains)
    throw new HeddleError(
      'Training needs WebGPU, also on a software adapter; onnxruntime-web only runs models. Use device "gpu" or "auto".',
      { kind: 'unsupported' },
    );
  if (device === 'wasm') return onnxEngine(await runtimeOf(host));
  const missing = await missingGpu(host);
  if (!missing) return undefined;
  try {
    const engine = onnxEngine(await runtimeOf(host));
    session.emit({
      type: 'message',
      text: msg`${missing.text}: models run in WebAssembly (onnxruntime-web)`,
    });
    return engine;
  } catch (error) {
    if (!missing.isSlow) throw error;
    const text = msg`${missing.text}, and onnxruntime-web, which would be faster, is missing: ${reasonOf(error)}`;
    session.emit({ type: 'message', text });
    return undefined;
  }
}

/** The module onnxruntime-web of a host; by default the one of an import map. */
async function runtimeOf(host: Host): Promise<OnnxRuntime> {
  if (host.onnxRuntime) return (await host.onnxRuntime()) as OnnxRuntime;
  const name = 'onnxruntime-web';
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
  } catch (error) {
    throw new HeddleError(
      msg`Models without a GPU need the package onnxruntime-web: install it, and give registerHost a function onnxRuntime that imports it, or put its name into an import map.`,
      { kind: 'unsupported', cause: error },
    );
  }
}

/** Why no GPU is used; undefined if there is one. `isSlow`: there is a software adapter. */
async function missingGpu(
  host: Host,
): Promise<{ readonly text: Message | string; readonly isSlow: boolean } | undefined> {
  try {
    const gpu = await host.gpu();
    const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) return { text: gpu ? 'there is no GPU adapter' : 'there is no WebGPU', isSlow: false };
    const info: GPUAdapterInfo | undefined = adapter.info; // browsers may leave it out
    return info?.isFallbackAdapter ? { text: 'the GPU adapter is software', isSlow: true } : undefined;
  } catch (error) {
    return { text: msg`there is no GPU (${reasonOf(error)})`, isSlow: false };
  }
}
