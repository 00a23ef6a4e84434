// A stopwatch on the GPU: two timestamps around what is measured, so that neither the wait for the queue nor the host's clock counts.

import type { Device } from './device.ts';

/** Owns a query set and its buffers. One measurement at a time. */
export interface Stopwatch {
  /** Where a pass writes its begin (index 0) and its end (index 1). */
  readonly times: GPUQuerySet;
  /** Copies both to where `read` finds them; recorded after the passes. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Milliseconds between the two, once the commands have run; undefined where the adapter's answer makes no sense. */
  read(): Promise<number | undefined>;
  destroy(): void;
}

/** A stopwatch, or undefined where the device has no timestamp queries. */
export function createStopwatch({ gpu }: Device): Stopwatch | undefined {
  if (!gpu.features.has('timestamp-query')) return undefined;
  const label = 'stopwatch';
  const bytes = 16;
  const times = gpu.createQuerySet({ label, type: 'timestamp', count: 2 });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = gpu.createBuffer({ label, size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = gpu.createBuffer({ label, size: bytes, usage: COPY_DST | MAP_READ });
  return {
    times,
    resolve(encoder) {
      encoder.resolveQuerySet(times, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    },
    async read() {
      await staging.mapAsync(GPUMapMode.READ);
      const [begin = 0n, end = 0n] = new BigUint64Array(staging.getMappedRange());
      staging.unmap();
      return end > begin ? Number(end - begin) / 1e6 : undefined;
    },
    destroy() {
      times.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}
