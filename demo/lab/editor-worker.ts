// The kernel editor in the worker: returns the WGSL of kernels, and checks and times those of the visitor, on
// a separate device that stays open between runs.

import { type KernelResult, measurePrepared, type PreparedKernel } from '../../src/bench/check-kernel.ts';
import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';
import { checkDuration, checkSize, prepareLargeKernel } from '../../src/bench/large-kernel.ts';
import { describeMachine } from '../../src/bench/machine.ts';
import { copyBytes } from '../../src/bench/measure-kernels.ts';
import { type OwnKernel, type ShownKernel, showKernel, tryKernel } from '../../src/bench/own-kernel.ts';
import { measureRoofsRepeatedly, type RepeatedRoofs } from '../../src/bench/repeated-roofs.ts';
import { msg } from '../../src/core/message.ts';
import type { Device } from '../../src/engine/index.ts';
import { openDevice, type TimeOptions } from '../../src/engine/index.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import type { TriedReply } from './lab-protocol.ts';
import { lostReason } from './lost-reason.ts';

/** State that is kept between runs. */
interface Bench {
  readonly device: Device;
  roofs?: RepeatedRoofs;
  /** The kernel of the last run, with its reference and the times of heddle's variants. */
  last?: { readonly key: string; readonly prepared: PreparedKernel; readonly ours: KernelResult };
}

let bench: Promise<Bench> | undefined;

const open = (): Promise<Bench> => {
  bench ??= openDevice(navigator.gpu).then((device) => ({ device }));
  return bench;
};

/** Closes the device: a run may have lost it, or left an error on it. */
async function close(): Promise<void> {
  const old = bench;
  bench = undefined;
  await old?.then(({ device }) => device.destroy()).catch(() => {});
}

/**
 * Returns the dispatches of a kernel on this adapter. Throws a HeddleError if the kernel does not exist or is
 * too large.
 */
export async function show(spec: KernelSpec): Promise<ShownKernel> {
  const { device } = await open();
  const kernel = kernelOf(spec);
  checkSize(kernel, device.traits);
  return showKernel(kernel, device.traits);
}

/** Checks and times a visitor's kernel next to heddle's. */
export async function attempt(spec: KernelSpec, own: OwnKernel, time: TimeOptions): Promise<TriedReply> {
  const { device } = await open();
  const lost = device.gpu.lost.then(({ message }) => {
    throw new HeddleError(
      msg`The GPU device was lost${lostReason(message)}. The kernel may have an endless loop, or read outside of its tensors.`,
    );
  });
  lost.catch(() => {}); // the device is closed later
  try {
    return await Promise.race([attemptOn(spec, own, time), lost]);
  } catch (error) {
    await close();
    throw error;
  }
}

async function attemptOn(spec: KernelSpec, own: OwnKernel, time: TimeOptions): Promise<TriedReply> {
  const state = await open();
  const { device } = state;
  const key = JSON.stringify(spec);
  state.roofs ??= await measureRoofsRepeatedly(device, {
    span: time.span / 2,
    rounds: 3,
    bytes: copyBytes.small,
  });
  if (state.last?.key !== key) {
    const kernel = kernelOf(spec);
    checkSize(kernel, device.traits);
    checkDuration(kernel, state.roofs.roofs, device.traits);
    const prepared = await prepareLargeKernel(device, kernel);
    state.last = { key, prepared, ours: await measurePrepared(device, prepared, time) };
  }
  const { prepared, ours } = state.last;
  const tried = await tryKernel(device, prepared, own, ours, time);
  device.check();
  const speed = await state.roofs.speed();
  return {
    tried: { ...tried, result: tried.result && { ...tried.result, speed } },
    roofs: state.roofs.roofs,
    machine: await describeMachine(navigator.gpu),
  };
}
