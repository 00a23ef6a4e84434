// Compute pipelines: compiled in parallel, once for each shader, entry point and set of constants, with
// layouts read from the WGSL.

import { messageOf } from '../../core/errors.ts';
import type { Pass } from '../plan/plan.ts';
import { shaderKey } from './shader-key.ts';
import type { Shader } from './shaders.ts';
import { codeOf, constantsOf, shaderOf } from './shaders.ts';
import { explicitSubgroupSizes } from './subgroup-features.ts';
import type { Binding } from './wgsl.ts';

/** A compiled pass: its pipeline, its layout and the bindings to fill. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
  readonly shader: Shader;
}

/** The fields of a pass that its kernel depends on. */
export type KernelKey = Pick<Pass, 'shader' | 'entry' | 'constants' | 'f16' | 'subgroupSize'>;

/**
 * Returns a source whose kernels request subgroups of `size` threads, if the device supports the request and
 * the size. Otherwise the driver chooses the size.
 */
function sizedSubgroups(code: string, size: number | undefined, device: GPUDevice): string {
  const sizes = explicitSubgroupSizes(device);
  if (!sizes || size === undefined || size < sizes.min || size > sizes.max) return code;
  return `enable subgroups, subgroup_size_control;\n${code
    .replace(/^enable subgroups;\n/m, '')
    .replace(/@workgroup_size\([^)]*\)/g, `$& @subgroup_size(${size})`)}`;
}

/** Whether a source uses subgroups. Such a kernel is made for subgroups of LANES threads. */
const usesSubgroups = (code: string): boolean => /^enable subgroups;$/m.test(code);

/** Key of a compiled kernel. */
export const kernelKey = ({ shader, entry, constants, f16, subgroupSize }: KernelKey): string =>
  `${shaderKey(shader)} ${entry} ${JSON.stringify(constants)} ${f16 ?? ''} ${subgroupSize ?? ''}`;

const caches = new WeakMap<GPUDevice, Pipelines>();

/** Returns the kernel cache of a device. Auto-tuning and training share it. */
export function pipelinesOf(device: GPUDevice): Pipelines {
  let pipelines = caches.get(device);
  if (!pipelines) {
    pipelines = new Pipelines(device);
    caches.set(device, pipelines);
  }
  return pipelines;
}

/** Milliseconds in which a device that an error calls lost says so itself. */
const lostWait = 10_000;

/**
 * If an error says that the device is lost (Firefox: "Parent device is lost"), waits until the device says so too,
 * which on a busy machine takes longer than callers wait that do not know it.
 */
async function waitIfLost(device: GPUDevice, error: unknown): Promise<void> {
  if (!/\blost\b/i.test(messageOf(error))) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, lostWait);
  });
  await Promise.race([device.lost, timeout]);
  clearTimeout(timer);
}

/** A module, and the error of its validation. */
interface CompiledModule {
  readonly module: GPUShaderModule;
  readonly failure: Promise<GPUError | null>;
}

/** A cache of kernels for one device. */
export class Pipelines {
  readonly #device: GPUDevice;
  /** Modules by their code. */
  readonly #modules = new Map<string, CompiledModule>();
  readonly #kernels = new Map<string, Promise<Kernel>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Number of kernels. */
  get compiled(): number {
    return this.#kernels.size;
  }

  /**
   * The kernel of a pass, compiled at the first call. Rejects with the name of the shader and the message of
   * the compiler.
   */
  get(pass: KernelKey): Promise<Kernel> {
    const key = kernelKey(pass);
    const kernel = this.#kernels.get(key) ?? this.#compile(pass);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  async #compile({ shader: name, entry, constants, f16 = [], subgroupSize }: KernelKey): Promise<Kernel> {
    const device = this.#device;
    const shader = shaderOf(name);
    const bindings = shader.entries.get(entry);
    if (!bindings) throw new Error(`shader ${shader.name}: there is no entry point ${entry}`);
    const { overrides, consts } = constantsOf(shader, constants);
    const label = `${shader.name}.${entry}`;
    const layout = device.createBindGroupLayout({
      label,
      entries: bindings.map((b) => ({
        binding: b.binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: b.type },
      })),
    });
    const source = codeOf(shader, consts, f16);
    const lanes = usesSubgroups(source) ? constants.LANES : undefined;
    const code = sizedSubgroups(source, subgroupSize ?? lanes, device);
    const { module, failure } = this.#moduleOf(code, `${shader.key} ${JSON.stringify(consts)} ${f16}`);
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: entry, constants: overrides },
      });
      return { pipeline, layout, bindings, shader };
    } catch (error) {
      await waitIfLost(device, error);
      const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
      const lines = messages.map((m) => `  line ${m.lineNum}: ${m.message.trim()}`);
      const { message } = (await failure) ?? (error as Error);
      throw new Error(
        `shader ${label} ${JSON.stringify(constants)} does not compile:\n${lines.join('\n') || message}`,
      );
    }
  }

  #moduleOf(code: string, label: string): CompiledModule {
    const device = this.#device;
    let compiled = this.#modules.get(code);
    if (!compiled) {
      // wgpu reports errors of a module here, other implementations when a pipeline uses it.
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ label, code });
      compiled = { module, failure: device.popErrorScope().catch(() => null) };
      this.#modules.set(code, compiled);
    }
    return compiled;
  }
}
