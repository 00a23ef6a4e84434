// The device of a session: opens at its first use, and is replaced if it is lost. Sessions without a device of
// the caller share one per host, which closes with its last session.

import { check } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import { listed, msg } from '../core/message.ts';
import { type Device, openDevice, probedDevice } from '../engine/gpu/device.ts';
import { openWithRetries } from '../engine/gpu/reopen-device.ts';
import { adapterInfoOf } from '../engine/gpu/subgroup-features.ts';
import type { SubmissionLimits, Submissions } from '../engine/gpu/submission-pace.ts';
import { limitsAfterLoss } from '../engine/gpu/submission-pace.ts';
import { noGpu, noWebGpu } from '../engine/gpu/webgpu-errors.ts';
import type { Host } from './host.ts';

/** A device by its name. */
export type DeviceName = 'gpu' | 'wasm' | 'auto' | 'cpu';

const deviceNames: readonly DeviceName[] = ['gpu', 'wasm', 'auto', 'cpu'];

/**
 * A device of heddle or WebGPU, which stays open; a GPU, on which a device is opened; `'gpu'`, the default: a device
 * that all models share; `'wasm'`, which runs models without a GPU through onnxruntime-web; `'auto'`, which is `'wasm'`
 * if there is no GPU or only a software adapter, else `'gpu'`; or `'cpu'`, which runs the float64 references of the
 * ops: exact but slow.
 */
export type GivenDevice = Device | GPUDevice | GPU | DeviceName;

const isName = (device: GivenDevice): device is DeviceName => typeof device === 'string';

/** WebGPU's default limits. Kernels need no more; an adapter with less is an error. */
export const neededLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxBufferSize: 256 * 2 ** 20,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** The device of a session. */
export class SessionDevice {
  readonly #host: Host;
  /** The device of the caller; undefined for the one that all sessions of the host share. */
  readonly #given: Exclude<GivenDevice, DeviceName> | undefined;
  readonly #name: DeviceName | undefined;
  #webGpu: Promise<GPU> | undefined;
  #opening: Promise<Device> | undefined;
  #adapter: string | undefined;
  /** Limits of submissions; undefined for those of the adapter. */
  #limits: SubmissionLimits | undefined;

  /**
   * `given`: the device of the caller. Default: the device that all sessions of the host share. `limits` of
   * submissions, else those of the adapter. Throws a HeddleError if the device is something else.
   */
  constructor(host: Host, given?: GivenDevice, limits?: SubmissionLimits) {
    check(
      given === undefined ||
        (isName(given)
          ? deviceNames.includes(given)
          : ['requestAdapter', 'traits', 'queue'].some((key) => key in Object(given))),
      msg`device must be a Device, a GPUDevice, a GPU (navigator.gpu), or one of ${listed(deviceNames)}`,
      'input',
    );
    this.#host = host;
    this.#given = given === undefined || isName(given) ? undefined : given;
    this.#name = given !== undefined && isName(given) ? given : undefined;
    this.#limits = limits;
  }

  /** The name of the device, if the caller gave one. */
  get name(): DeviceName | undefined {
    return this.#name;
  }

  /** Whether the session never computes on a GPU, so that it has no device. */
  get isCpu(): boolean {
    return this.#name === 'cpu' || this.#name === 'wasm';
  }

  /** Name of the backend: `cpu`, `wasm`, or the host and, once the device is open, its adapter. */
  get backend(): string {
    const { name } = this.#host;
    if (this.isCpu) return this.#name ?? 'cpu';
    if (this.#adapter === undefined) return name.toLowerCase();
    return this.#adapter.startsWith(name) ? this.#adapter : `${name.toLowerCase()} ${this.#adapter}`;
  }

  /** The WebGPU of the device; opened at first use. Rejects on the CPU, and if the host has none. */
  gpu(): Promise<GPU> {
    this.#webGpu ??= this.#openGpu();
    return this.#webGpu;
  }

  /** The device; opened at first use. Rejects on the CPU. */
  open(): Promise<Device> {
    this.#opening ??= this.#openDevice().then((device) => {
      this.#adapter = adapterName(device.adapter);
      return device;
    });
    return this.#opening;
  }

  /** The device, if it is open. */
  async #opened(): Promise<Device | undefined> {
    return this.#opening?.catch(() => undefined);
  }

  /** Why the device was lost, if it was; waits a moment for the reason. */
  async lost(): Promise<string | undefined> {
    return (await this.#opened())?.lost();
  }

  /** Whether a lost device can be replaced: it is not a device of the caller. */
  get isReplaceable(): boolean {
    return this.#given === undefined || isGpu(this.#given);
  }

  /** What the open device has of submissions. */
  async submissions(): Promise<Submissions> {
    return (await this.#opened())?.submissions ?? {};
  }

  /**
   * Replaces the device, with retries for half a minute. Its submissions are smaller if work was lost with the
   * one before; resolves to their limits then. Throws the last error, and the reason of the signal if it is
   * aborted.
   */
  async reopen(signal: AbortSignal): Promise<SubmissionLimits | undefined> {
    const limits = limitsAfterLoss(await this.submissions());
    this.#limits = limits ?? this.#limits;
    const open = () => {
      this.#opening = undefined;
      return this.open();
    };
    await this.release();
    await openWithRetries(open, signal).catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return limits;
  }

  /** Gives the device back. A later call of `open` opens another one. */
  async release(): Promise<void> {
    const opened = this.#opened();
    this.#opening = undefined; // calls from now on open a new device
    (await opened)?.destroy();
  }

  async #openGpu(): Promise<GPU> {
    if (this.isCpu) throw noGpu(this.backend);
    const gpu = this.#given && isGpu(this.#given) ? this.#given : await this.#host.gpu();
    if (!gpu) throw noWebGpu(this.#host.name);
    return gpu;
  }

  async #openDevice(): Promise<Device> {
    const [given, host] = [this.#given, this.#host];
    const submissions = this.#limits;
    const open = async () => openDevice(await this.gpu(), { require: neededLimits, submissions });
    if (given === undefined) return leaseSharedDevice(host, open);
    if (isGpu(given)) return open();
    return borrowed(given, host, submissions);
  }
}

const isGpu = (device: Device | GPUDevice | GPU): device is GPU => 'requestAdapter' in device;

/** The shared device of each host, and the number of its users. */
const sharedDevices = new WeakMap<Host, SharedDevice>();

interface SharedDevice {
  readonly device: Promise<Device>;
  users: number;
}

/** A lease of the shared device of a host. `destroy` ends the lease; the last one closes the device. */
async function leaseSharedDevice(host: Host, open: () => Promise<Device>): Promise<Device> {
  const current = sharedDevices.get(host);
  const isLost = async () => (await (await current?.device)?.lost(0)) !== undefined;
  const forget = (old: SharedDevice) => {
    if (sharedDevices.get(host) === old) sharedDevices.delete(host);
  };
  if (current && (await isLost().catch(() => true))) forget(current);
  const lease = sharedDevices.get(host) ?? { device: open(), users: 0 };
  sharedDevices.set(host, lease);
  lease.users++;
  let held = true;
  const release = (device?: Device) => {
    if (!held) return;
    held = false;
    lease.users--;
    if (lease.users > 0) return;
    forget(lease);
    device?.destroy();
  };
  try {
    const device = await lease.device;
    return { ...device, destroy: () => release(device) };
  } catch (error) {
    release();
    forget(lease);
    throw error;
  }
}

/** The devices of heddle for WebGPU devices, so that several sessions share one. */
const wrapped = new WeakMap<GPUDevice, Promise<Device>>();

/** The caller's device, which `destroy` leaves open. */
async function borrowed(
  device: Device | GPUDevice,
  host: Host,
  limits: SubmissionLimits | undefined,
): Promise<Device> {
  if ('traits' in device) return { ...device, destroy: () => undefined };
  const wrap = async () => probedDevice(device, await adapterInfoOf(device, () => host.gpu()), limits);
  const known = wrapped.get(device) ?? wrap();
  wrapped.set(device, known);
  return { ...(await known), destroy: () => undefined };
}
