// Errors of hosts, adapters and devices that cannot run the engine. Loaded when one is thrown.

import { HeddleError, messageOf } from '../../core/errors.ts';
import { formatLimit } from '../../core/format-numbers.ts';
import { type Message, msg } from '../../core/message.ts';

const unsupported = (message: Message | string) => new HeddleError(message, { kind: 'unsupported' });

/** There is no WebGPU in a host, if the name of its WebGPU is given, or here. */
export const noWebGpu = (host?: string): HeddleError =>
  unsupported(
    host === undefined
      ? msg`WebGPU is not available. ${useBrowser}`
      : msg`There is no WebGPU in this ${host}. ${useBrowser}`,
  );

const useBrowser = msg`Use a current Chrome, Edge, Firefox or Safari, on https or localhost; chrome://gpu or about:support shows why it is off.`;

/** A backend computes without a GPU. */
export const noGpu = (backend: string): HeddleError =>
  unsupported(msg`The ${backend} backend has no GPU; use another device.`);

/** WebGPU has no adapter. */
export const noAdapter = (): HeddleError =>
  unsupported(
    msg`WebGPU found no adapter. In Node install a Vulkan driver (Debian: mesa-vulkan-drivers); in Chrome enable hardware acceleration, or use its software adapter SwiftShader; in Firefox set dom.webgpu.enabled in about:config.`,
  );

/** A limit of the adapter is lower than required. */
export const lowLimit = (name: string, has: number, needed: number): HeddleError =>
  unsupported(
    msg`The adapter's ${name} is ${formatLimit(name, has)}, ${formatLimit(name, needed)} is required; use another adapter, or the CPU.`,
  );

/** WebGPU has rejected the request for an adapter or a device. */
export const refused = (cause: unknown): HeddleError =>
  new HeddleError(msg`WebGPU opens no device: ${messageOf(cause)}`, { kind: 'unsupported', cause });

/** Results cannot be read although the device reports no error. Its loss is not one if it was destroyed on purpose. */
export async function unreadable({ lost }: GPUDevice, cause: unknown): Promise<HeddleError> {
  const isLost = (await Promise.race([lost, undefined])) !== undefined;
  const reason = isLost ? 'the device was destroyed' : messageOf(cause);
  return new HeddleError(msg`Reading results back failed: ${reason}`, { kind: 'device', cause });
}
