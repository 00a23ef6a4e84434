// The passes of a plan on the GPU: bound once, recorded in every run.

import type { Pass, Range } from '../plan/plan.ts';
import type { Kernel } from './pipelines.ts';
import type { Binding } from './wgsl.ts';

/** A dispatch with its pipeline and bind group. */
export interface BoundPass {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Memory to fill with zeros before the dispatch. */
  readonly clear: readonly Range[] | undefined;
  readonly label: string;
}

/** What absent bindings of all passes are bound to: one buffer if they are read, another if written. */
export interface AbsentBuffers {
  readonly read: GPUBuffer;
  /** `absentBytes` for each absent binding of a pass. */
  readonly written: GPUBuffer;
}

/** Size of an absent binding in bytes: WebGPU's alignment of offsets. */
export const absentBytes = 256;

/** Returns the GPU buffer of a plan's buffer by index. */
export type BufferAt = (buffer: number) => GPUBuffer;

/** Stride of the Params of passes in bytes: WebGPU's alignment of uniform binding offsets. */
export const paramAlign = 256;

/** Rounds bytes up to 4, as copies and bindings require. */
export const alignToWords = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/**
 * Packs the Params structs of the passes that bind one, `paramAlign` bytes each. Throws if a pass lacks the
 * value of a field.
 */
export function packParams(passes: readonly Pass[], kernels: readonly Kernel[]): ArrayBuffer {
  const data = new DataView(new ArrayBuffer(passes.length * paramAlign));
  for (const [i, { op, params }] of passes.entries()) {
    const { shader, bindings } = kernels[i] as Kernel;
    if (!bindings.some((b) => b.wgslType === 'Params')) continue;
    for (const [f, { name, type }] of shader.params.entries()) {
      const value = params[name];
      if (value === undefined) throw new Error(`${op}: no value for Params.${name} of shader ${shader.name}`);
      const at = i * paramAlign + f * 4;
      if (type === 'f32') data.setFloat32(at, value, true);
      else data.setUint32(at, value, true);
    }
  }
  return data.buffer;
}

/**
 * Creates the bind group of a pass; its Params are at index `i` of `paramBuffer`. Throws if a binding of the
 * shader is not bound.
 */
export function bindPass(
  gpu: GPUDevice,
  pass: Pass,
  { pipeline, layout, bindings, shader }: Kernel,
  { paramBuffer, i }: { readonly paramBuffer: GPUBuffer; readonly i: number },
  bufferAt: BufferAt,
  absent: AbsentBuffers | undefined,
): BoundPass {
  // Bindings that are written may not alias, so each has its own part of the buffer.
  let written = 0;
  const unused = (absent: AbsentBuffers, type: Binding['type']): GPUBufferBinding =>
    type === 'read-only-storage'
      ? { buffer: absent.read, size: absentBytes }
      : { buffer: absent.written, offset: absentBytes * written++, size: absentBytes };
  const label = `${pass.scope ? `${pass.scope} ` : ''}${pass.op}`;
  const resourceOf = (b: Binding): GPUBufferBinding => {
    if (b.wgslType === 'Params') return { buffer: paramBuffer, offset: i * paramAlign, size: paramAlign };
    const range = pass.bind[b.name];
    // The constants of the pass disable the use of an absent binding, such as the step without dropout.
    const isAbsent = !range && (b.wgslType === 'Step' || pass.absent?.includes(b.name));
    if (isAbsent && b.type === 'uniform') return { buffer: paramBuffer, size: paramAlign };
    if (isAbsent && absent) return unused(absent, b.type);
    if (!range) throw new Error(`${pass.op}: nothing bound to ${b.name} of shader ${shader.name}`);
    const size = b.wgslType.includes('vec4') ? Math.ceil(range.bytes / 16) * 16 : alignToWords(range.bytes);
    return { buffer: bufferAt(range.buffer), offset: range.offset, size };
  };
  const entries = bindings.map((b) => ({ binding: b.binding, resource: resourceOf(b) }));
  const group = gpu.createBindGroup({ label, layout, entries });
  const [x, y, z] = pass.grid;
  return { pipeline, group, x, y, z, clear: pass.clear, label };
}

/** Where the times of recorded passes go. */
export interface RecordedTimes {
  readonly querySet: GPUQuerySet;
  /** Whether the begin of the first compute pass is written to index 0, and the end of the last one to 1. */
  readonly begin: boolean;
  readonly end: boolean;
}

/** Records dispatches in as few compute passes as possible: a new one starts only after memory is cleared. */
export class PassRecorder {
  readonly #dispatches: readonly BoundPass[];
  readonly #bufferAt: BufferAt;

  constructor(dispatches: readonly BoundPass[], bufferAt: BufferAt) {
    this.#dispatches = dispatches;
    this.#bufferAt = bufferAt;
  }

  /** Records the dispatches from index `from` to before `to` of a sequence that repeats all of them. */
  record(encoder: GPUCommandEncoder, from: number, to: number, times?: RecordedTimes): void {
    const count = times ? this.#computePasses(from, to) : 0;
    let begun = 0;
    let computePass: GPUComputePassEncoder | undefined;
    let last: GPUComputePipeline | undefined;
    for (let i = from; i < to; i++) {
      const { pipeline, group, x, y, z, clear } = this.at(i);
      if (clear) {
        computePass?.end();
        this.clear(encoder, clear);
        computePass = undefined;
        last = undefined;
      }
      computePass ??= beginPass(encoder, ++begun, count, times);
      if (pipeline !== last) computePass.setPipeline(pipeline);
      last = pipeline;
      computePass.setBindGroup(0, group);
      computePass.dispatchWorkgroups(x, y, z);
    }
    computePass?.end();
  }

  /** Records that ranges are filled with zeros. */
  clear(encoder: GPUCommandEncoder, ranges: readonly Range[]): void {
    for (const r of ranges) encoder.clearBuffer(this.#bufferAt(r.buffer), r.offset, alignToWords(r.bytes));
  }

  /** The dispatch at an index of the sequence. */
  at(index: number): BoundPass {
    return this.#dispatches[index % this.#dispatches.length] as BoundPass;
  }

  /** Number of compute passes of a range of the sequence. */
  #computePasses(from: number, to: number): number {
    let count = 0;
    for (let i = from; i < to; i++) if (i === from || this.at(i).clear) count++;
    return count;
  }
}

/** Begins the compute pass of a number of `count`, with its timestamps. */
function beginPass(
  encoder: GPUCommandEncoder,
  number: number,
  count: number,
  times: RecordedTimes | undefined,
): GPUComputePassEncoder {
  const begins = times?.begin && number === 1;
  const ends = times?.end && number === count;
  if (!times || !(begins || ends)) return encoder.beginComputePass();
  const { querySet } = times;
  const beginningOfPassWriteIndex = begins ? 0 : undefined;
  const endOfPassWriteIndex = ends ? 1 : undefined;
  return encoder.beginComputePass({
    timestampWrites: { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex },
  });
}
