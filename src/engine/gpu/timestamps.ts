// GPU timestamp queries: passes write their begin and end times, the host reads them.

import type { Device } from './device.ts';
import { whenDone } from './readback.ts';

/** Owns a query set and its buffers. One measurement at a time. */
export interface Timestamps {
  /** The query set for `timestampWrites` of passes. */
  readonly querySet: GPUQuerySet;
  /** Records the copy of all timestamps to the host. Call it after the passes are recorded. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Waits for the submitted commands; returns the timestamps in nanoseconds. */
  read(): Promise<BigUint64Array>;
  /** Destroys the query set and its buffers. */
  destroy(): void;
}

/** Makes `count` timestamps (at most 4,096), or returns undefined if the device has no timestamp queries. */
export function createTimestamps({ gpu }: Device, count: number): Timestamps | undefined {
  if (!gpu.features.has('timestamp-query')) return undefined;
  const label = 'timestamps';
  const size = 8 * count;
  const querySet = gpu.createQuerySet({ label, type: 'timestamp', count });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = gpu.createBuffer({ label, size, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = gpu.createBuffer({ label, size, usage: COPY_DST | MAP_READ });
  return {
    querySet,
    resolve(encoder) {
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    },
    async read() {
      await whenDone(gpu.queue, staging.mapAsync(GPUMapMode.READ));
      const times = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      return times;
    },
    destroy() {
      for (const owned of [querySet, resolved, staging]) owned.destroy();
    },
  };
}
