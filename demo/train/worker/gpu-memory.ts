// Counts the GPU memory of this thread: all live buffers on all devices. It can also destroy a device, for
// tests.

import type { GpuMemory } from '../protocol.ts';

let lastDevice: GPUDevice | undefined;

/** Destroys the device that created the last buffer, as a driver would. */
export const loseDevice = (): void => lastDevice?.destroy();

/** Starts counting; call it once, before a device is opened. Returns a function that returns the counts. */
export function countGpuMemory(): () => GpuMemory {
  let [buffers, bytes, created] = [0, 0, 0];
  /** Live buffers by device, and the set that a buffer is in. */
  const live = new WeakMap<GPUDevice, Set<GPUBuffer>>();
  const owner = new WeakMap<GPUBuffer, Set<GPUBuffer>>();
  const remove = (buffer: GPUBuffer) => {
    if (!owner.get(buffer)?.delete(buffer)) return;
    buffers--;
    bytes -= buffer.size;
  };
  const device = globalThis.GPUDevice?.prototype;
  const buffer = globalThis.GPUBuffer?.prototype;
  if (!device || !buffer) return () => ({ buffers, bytes, created });
  const { createBuffer } = device;
  const { destroy } = buffer;
  device.createBuffer = function (descriptor) {
    const result = createBuffer.call(this, descriptor);
    lastDevice = this;
    let own = live.get(this);
    if (!own) {
      const set = new Set<GPUBuffer>();
      live.set(this, set);
      void this.lost.then(() => {
        for (const b of set) remove(b);
      });
      own = set;
    }
    own.add(result);
    owner.set(result, own);
    buffers++;
    created++;
    bytes += result.size;
    return result;
  };
  buffer.destroy = function () {
    remove(this);
    return destroy.call(this);
  };
  return () => ({ buffers, bytes, created });
}
