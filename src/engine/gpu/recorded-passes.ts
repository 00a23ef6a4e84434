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

/**
 * Returns a function that records all dispatches `repeats` times in as few compute passes as possible: a new
 * one starts only after memory is cleared. The begin of the first and the end of the last pass are written to
 * `times`.
 */
export function createRecorder(
  dispatches: readonly BoundPass[],
  clearAll: (encoder: GPUCommandEncoder, ranges: readonly Range[]) => void,
): (encoder: GPUCommandEncoder, repeats?: number, times?: GPUQuerySet) => void {
  const clears = dispatches.filter(({ clear }) => clear).length;
  const clearsFirst = dispatches[0]?.clear !== undefined;
  return (encoder, repeats = 1, times) => {
    const count = repeats * clears + (clearsFirst ? 0 : 1);
    let begun = 0;
    const begin = () => {
      begun++;
      const isFirst = begun === 1;
      const isLast = begun === count;
      if (!times || !(isFirst || isLast)) return encoder.beginComputePass();
      const beginningOfPassWriteIndex = isFirst ? 0 : undefined;
      const endOfPassWriteIndex = isLast ? 1 : undefined;
      const timestampWrites = { querySet: times, beginningOfPassWriteIndex, endOfPassWriteIndex };
      return encoder.beginComputePass({ timestampWrites });
    };
    let computePass: GPUComputePassEncoder | undefined;
    let last: GPUComputePipeline | undefined;
    for (let i = 0; i < repeats * dispatches.length; i++) {
      const { pipeline, group, x, y, z, clear } = dispatches[i % dispatches.length] as BoundPass;
      if (clear) {
        computePass?.end();
        clearAll(encoder, clear);
        computePass = undefined;
        last = undefined;
      }
      computePass ??= begin();
      if (pipeline !== last) computePass.setPipeline(pipeline);
      last = pipeline;
      computePass.setBindGroup(0, group);
      computePass.dispatchWorkgroups(x, y, z);
    }
    computePass?.end();
  };
}
