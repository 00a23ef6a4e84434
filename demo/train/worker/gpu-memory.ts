// Counts the GPU memory of this thread: every buffer that is made and not destroyed, on every device.

import type { MemoryFacts } from '../protocol.ts';

/** Starts counting; call once, before any device is opened. Gives a function that says what is allocated. */
export function meterGpu(): () => MemoryFacts {
  let [buffers, bytes, made] = [0, 0, 0];
  /** Buffers alive by device, and where a buffer is counted. */
  const alive = new WeakMap<GPUDevice, Set<GPUBuffer>>();
  const owner = new WeakMap<GPUBuffer, Set<GPUBuffer>>();
  const forget = (buffer: GPUBuffer) => {
    if (!owner.get(buffer)?.delete(buffer)) return;
    buffers--;
    bytes -= buffer.size;
  };
  const device = globalThis.GPUDevice?.prototype;
  const buffer = globalThis.GPUBuffer?.prototype;
  if (!device || !buffer) return () => ({ buffers, bytes, made });
  const { createBuffer } = device;
  const { destroy } = buffer;
  device.createBuffer = function (descriptor) {
    const result = createBuffer.call(this, descriptor);
    let own = alive.get(this);
    if (!own) {
      own = new Set();
      alive.set(this, own);
      const lost = own;
      void this.lost.then(() => {
        for (const b of lost) forget(b);
      });
    }
    own.add(result);
    owner.set(result, own);
    buffers++;
    made++;
    bytes += result.size;
    return result;
  };
  buffer.destroy = function () {
    forget(this);
    return destroy.call(this);
  };
  return () => ({ buffers, bytes, made });
}
