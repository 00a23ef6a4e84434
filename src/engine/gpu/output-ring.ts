// Reads the outputs of a plan through a ring of staging buffers, so that the host does not wait for the GPU.

import { allocate, type DType, sizeOf, type TensorData } from '../../core/tensor.ts';
import { align } from '../plan/lifetimes.ts';
import type { Plan, Range } from '../plan/plan.ts';
import type { Device } from './device.ts';
import { whenDone } from './readback.ts';
import { alignToWords, type BufferAt } from './recorded-passes.ts';
import { unreadable } from './webgpu-errors.ts';

/** Outputs of a run by name. The arrays belong to the caller. */
export type Outputs = Record<string, TensorData>;

/** An output and its place in a staging buffer. */
interface Read {
  readonly name: string;
  readonly range: Range;
  readonly at: number;
  readonly dtype: DType;
  readonly length: number;
}

/** The staging buffers of a plan; none if it has no outputs. */
export class OutputRing {
  readonly #device: Device;
  readonly #inFlight: number;
  readonly #bufferAt: BufferAt;
  readonly #reads: readonly Read[];
  readonly #free: GPUBuffer[];

  /** `create` makes a buffer that is destroyed with the runner. */
  constructor(
    device: Device,
    plan: Plan,
    inFlight: number,
    create: (label: string, size: number, usage: number) => GPUBuffer,
    bufferAt: BufferAt,
  ) {
    this.#device = device;
    this.#inFlight = inFlight;
    this.#bufferAt = bufferAt;
    let bytes = 0;
    this.#reads = Object.entries(plan.outputs).map(([name, { range, dtype, shape }]) => {
      const at = bytes;
      bytes += align(range.bytes);
      return { name, range, at, dtype, length: sizeOf(shape) };
    });
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    this.#free = Array.from({ length: this.#reads.length ? inFlight : 0 }, (_, i) =>
      create(`outputs ${i}`, bytes, usage),
    );
  }

  /** Returns a free staging buffer. Throws if none is left. */
  take(): GPUBuffer | undefined {
    const staging = this.#free.shift();
    if (!staging && this.#reads.length)
      throw new Error(`runner: more than ${this.#inFlight} runs in flight; await an earlier one first`);
    return staging;
  }

  /** Records the copy of the outputs to a staging buffer. */
  copy(encoder: GPUCommandEncoder, staging: GPUBuffer | undefined): void {
    if (!staging) return;
    for (const { range, at } of this.#reads)
      encoder.copyBufferToBuffer(
        this.#bufferAt(range.buffer),
        range.offset,
        staging,
        at,
        alignToWords(range.bytes),
      );
  }

  /** Waits for the submitted commands, and releases the staging buffer. */
  async read(staging: GPUBuffer | undefined): Promise<Outputs> {
    const { queue } = this.#device.gpu;
    if (!staging) {
      await whenDone(queue, queue.onSubmittedWorkDone());
      return {};
    }
    const mapped = await mappedRange(this.#device, staging);
    const result: Outputs = {};
    for (const { name, range, at, dtype, length } of this.#reads) {
      const data = allocate(dtype, length);
      new Uint8Array(data.buffer).set(new Uint8Array(mapped, at, Math.min(range.bytes, data.byteLength)));
      result[name] = data;
    }
    staging.unmap();
    this.#free.push(staging);
    return result;
  }
}

/** Maps a staging buffer to read it. Throws a HeddleError if the device is lost or has reported an error. */
export async function mappedRange(device: Device, staging: GPUBuffer): Promise<ArrayBuffer> {
  try {
    await whenDone(device.gpu.queue, staging.mapAsync(GPUMapMode.READ));
    device.check();
    return staging.getMappedRange();
  } catch (error) {
    // If the device was lost, either call can fail, and the reason may come later.
    await device.lost();
    device.check();
    throw await unreadable(device.gpu, error);
  }
}
