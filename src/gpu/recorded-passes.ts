// The steps of a plan on the GPU: bound once, recorded in every run.

import type { Pass, Range } from '../plan/plan.ts';
import type { Kernel } from './pipelines.ts';
import type { Binding } from './wgsl.ts';

/** What one dispatch needs, in one object: recording reads it for every pass of every run. */
export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Filled with zeros before it. */
  readonly clear: readonly Range[] | undefined;
  readonly label: string;
}

/** The GPU buffer of a plan's buffer, by number. */
export type BufferAt = (buffer: number) => GPUBuffer;

/** Bytes from one pass's Params to the next: what an offset of a uniform binding is a multiple of. */
export const paramAlign = 256;

/** Bytes in whole words: what copies and bindings come in. */
export const whole = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** The Params structs of all passes, `paramAlign` bytes each. Throws where a pass has no value for a field. */
export function paramsOf(passes: readonly Pass[], kernels: readonly Kernel[]): ArrayBuffer {
  const data = new DataView(new ArrayBuffer(passes.length * paramAlign));
  for (const [i, { op, shader, params }] of passes.entries())
    for (const [f, { name, type }] of (kernels[i] as Kernel).shader.params.entries()) {
      const value = params[name];
      if (value === undefined) throw new Error(`${op}: no value for Params.${name} of shader ${shader}`);
      const at = i * paramAlign + f * 4;
      if (type === 'f32') data.setFloat32(at, value, true);
      else data.setUint32(at, value, true);
    }
  return data.buffer;
}

/** Binds what a pass names; its Params are number `i` in `paramBuffer`. Throws where the shader has a binding that it does not name. */
export function stepOf(
  gpu: GPUDevice,
  pass: Pass,
  { pipeline, layout, bindings }: Kernel,
  { paramBuffer, i }: { readonly paramBuffer: GPUBuffer; readonly i: number },
  bufferAt: BufferAt,
): Step {
  const label = `${pass.scope ? `${pass.scope} ` : ''}${pass.op}`;
  const resourceOf = (b: Binding): GPUBufferBinding => {
    if (b.of === 'Params') return { buffer: paramBuffer, offset: i * paramAlign, size: paramAlign };
    const range = pass.bind[b.name];
    // A launch whose overrides switch off all use of the step scalars (no dropout) need not have them: anything uniform will do.
    if (!range && b.of === 'Step') return { buffer: paramBuffer, size: paramAlign };
    if (!range) throw new Error(`${pass.op}: nothing bound to ${b.name} of shader ${pass.shader}`);
    const size = b.of.includes('vec4') ? Math.ceil(range.bytes / 16) * 16 : whole(range.bytes);
    return { buffer: bufferAt(range.buffer), offset: range.offset, size };
  };
  const entries = bindings.map((b) => ({ binding: b.binding, resource: resourceOf(b) }));
  const group = gpu.createBindGroup({ label, layout, entries });
  const [x, y, z] = pass.grid;
  return { pipeline, group, x, y, z, clear: pass.clear, label };
}

/**
 * Records all steps `repeats` times: in one pass, or from each clearing to the next. `times` get the begin of the first pass and the end
 * of the last.
 */
export function recorder(
  steps: readonly Step[],
  clearAll: (encoder: GPUCommandEncoder, ranges: readonly Range[]) => void,
): (encoder: GPUCommandEncoder, repeats?: number, times?: GPUQuerySet) => void {
  const clears = steps.filter(({ clear }) => clear).length;
  const clearsFirst = steps[0]?.clear !== undefined;
  return (encoder, repeats = 1, times) => {
    const passes = repeats * clears + (clearsFirst ? 0 : 1);
    let passesLeft = passes;
    const begin = () => {
      const stamps = times && {
        querySet: times,
        ...(passesLeft === passes && { beginningOfPassWriteIndex: 0 }),
        ...(passesLeft === 1 && { endOfPassWriteIndex: 1 }),
      };
      passesLeft--;
      const stamped = stamps && Object.keys(stamps).length > 1;
      return encoder.beginComputePass(stamped ? { timestampWrites: stamps } : undefined);
    };
    let pass: GPUComputePassEncoder | undefined;
    let last: GPUComputePipeline | undefined;
    for (let i = 0; i < repeats * steps.length; i++) {
      const { pipeline, group, x, y, z, clear } = steps[i % steps.length] as Step;
      if (clear) {
        pass?.end();
        clearAll(encoder, clear);
        pass = undefined;
        last = undefined;
      }
      pass ??= begin();
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y, z);
    }
    pass?.end();
  };
}
