// Sessions: the device of a model. Models without a given device share one, which opens at its first use and
// closes with its last model.

import { HeddleError } from '../core/errors.ts';
import { type Device, openDevice, probedDevice } from '../engine/gpu/device.ts';
import { adapterInfoOf } from '../engine/gpu/subgroup-features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { JobContext } from '../session/job.ts';
import { createContext, neededLimits } from '../session/job-context.ts';
import type { JobEvent } from '../train/report/training-events.ts';
import { currentPlatform } from './platform.ts';

/** The device of a model, and the receiver of events. */
export interface SessionOptions {
  /**
   * A device of heddle or WebGPU, which stays open; a GPU, on which a device is opened; or `'cpu'`, which
   * runs the float64 references of the ops: exact but slow. Default: a device that all models share.
   */
  readonly device?: Device | GPUDevice | GPU | 'cpu';
  /**
   * Whether to auto-tune: time kernel variants at their first use, for a few seconds, and cache the fastest.
   * Default: true.
   */
  readonly tune?: boolean;
  /** Receives messages and progress: kernel tuning, downloads, evaluation. */
  readonly onEvent?: (event: JobEvent) => void;
}

/** A context for jobs. `close` gives its device back. */
export interface Session {
  readonly context: JobContext;
  close(): Promise<void>;
}

let shared: { readonly device: Promise<Device>; users: number } | undefined;

/** A lease of the shared device. `destroy` ends the lease; the last one closes the device. */
async function leaseSharedDevice(): Promise<Device> {
  const current = shared;
  const isLost = async () => (await (await current?.device)?.lost(0)) !== undefined;
  if (current && (await isLost().catch(() => true)) && shared === current) shared = undefined;
  const open = async () => openDevice(await currentPlatform().openGpu(), { require: neededLimits });
  shared ??= { device: open(), users: 0 };
  const lease = shared;
  lease.users++;
  let held = true;
  const release = (device?: Device) => {
    if (!held) return;
    held = false;
    lease.users--;
    if (lease.users > 0) return;
    if (shared === lease) shared = undefined;
    device?.destroy();
  };
  try {
    const device = await lease.device;
    return { ...device, destroy: () => release(device) };
  } catch (error) {
    release();
    if (shared === lease) shared = undefined;
    throw error;
  }
}

/** Opens a session on the current platform. The device opens at its first use. `signal` stops its work. */
export function openSession(
  { device, tune = true, onEvent }: SessionOptions = {},
  signal?: AbortSignal,
): Session {
  const platform = currentPlatform();
  const files = archiveFiles(platform.files);
  const gpu = device !== 'cpu' && device && 'requestAdapter' in device ? device : undefined;
  return createContext({
    host: device === 'cpu' ? 'cpu' : platform.host,
    version: platform.version,
    files,
    emit: onEvent ?? (() => undefined),
    signal: signal ?? new AbortController().signal,
    openGpu: async () => gpu ?? platform.openGpu(),
    openDevice: device ? undefined : leaseSharedDevice,
    device: device && device !== 'cpu' && !gpu ? ownDevice(device as Device | GPUDevice) : undefined,
    kernelFile: tune ? platform.cachePath('kernels.json') : undefined,
    textThreads: platform.textThreads,
    machineMemory: platform.machineMemory,
  });
}

/** The devices of heddle for WebGPU devices, so that several models share one. */
const wrapped = new WeakMap<GPUDevice, Promise<Device>>();

/** The caller's device, which `destroy` leaves open. */
function ownDevice(device: Device | GPUDevice): Device | Promise<Device> {
  if ('traits' in device) return { ...device, destroy: () => undefined };
  if (!('queue' in device))
    throw new HeddleError('device must be a Device, a GPUDevice, a GPU (navigator.gpu) or "cpu"');
  const wrap = async () => probedDevice(device, await adapterInfoOf(device, currentPlatform().openGpu));
  const known = wrapped.get(device) ?? wrap();
  wrapped.set(device, known);
  return known.then((opened) => ({ ...opened, destroy: () => undefined }));
}
