// Functions of heddle/engine that check the fields of the objects which a program gives them. The library itself, whose calls
// TypeScript checks, imports the functions without these checks, so that a page that translates has no bytes of them.

import { checkTypes, HeddleError, hasType, kindOf } from '../core/errors.ts';
import { type AdapterInfo, adapterName as formatAdapter } from '../core/host-name.ts';
import { listed, msg } from '../core/message.ts';
import type { TensorData } from '../core/tensor.ts';
import type { Engine } from './engine.ts';
import { type TuneKernelsOptions, tuneKernels as tuneUncheckedKernels } from './gpu/auto-tuning.ts';
import {
  type Device,
  type DeviceOptions,
  openDevice as openPlainDevice,
  wrapDevice as wrapPlainDevice,
} from './gpu/device.ts';
import {
  type GpuEngineOptions,
  type PrepareOptions,
  GpuEngine as UncheckedEngine,
} from './gpu/gpu-engine.ts';
import { type Profile, profilePasses as profilePlainPasses } from './gpu/profile.ts';
import type { Runner } from './gpu/runner.ts';
import { checkGraph, checkGraphs, type Graph } from './graph/graph.ts';
import {
  type NextTokenRules,
  type Sampling,
  writeRules as writePlainRules,
  writeSampling as writePlainSampling,
} from './ops/decoding/next-token.ts';
import {
  type AnyOp,
  type Attrs,
  type AttrsType,
  type AttrTypes,
  attrsOf as declareAttrs,
  defineOp as defineUncheckedOp,
} from './ops/op.ts';
import {
  checkDevice,
  checkEach,
  checkFieldTypes,
  checkObject,
  checkTraits,
  type FieldTypes,
  stepFields,
} from './ops/option-checks.ts';
import { type StepScalars, writeStep as writePlainStep } from './ops/step-scalars.ts';
import type { KernelChoices } from './plan/kernel-choices.ts';
import type { Plan } from './plan/plan.ts';
import { makePlan as makeUncheckedPlan, type PlanOptions } from './plan/planner.ts';

const wrongArgument = (name: string, value: unknown, type: string): HeddleError =>
  new HeddleError(msg`${name} is ${kindOf(value)}, it must be ${type}`, { area: 'engine' });

const adapterFields = {
  vendor: 'a text?',
  architecture: 'a text?',
  device: 'a text?',
  description: 'a text?',
} as const;

/**
 * Formats an adapter, whose names may be missing, as `vendor architecture description`.
 *
 * @example
 * console.log(adapterName(device.adapter));
 */
export function adapterName(adapter: AdapterInfo): string {
  checkFieldTypes('adapterName', adapter, adapterFields, 'adapter');
  return formatAdapter(adapter);
}

/**
 * Opens a device. `gpu` is `navigator.gpu` in a page; in Node it comes from Dawn (src/host/dawn.ts). Throws a
 * HeddleError if there is no WebGPU, no adapter, or a required limit is not reached.
 *
 * @example
 * const device = await openDevice(navigator.gpu);
 * console.log(adapterName(device.adapter));
 */
export async function openDevice(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<Device> {
  const area = 'openDevice';
  if (gpu) checkFieldTypes(area, gpu as Pick<GPU, 'requestAdapter'>, { requestAdapter: 'a function' }, 'gpu');
  checkObject(area, options, {
    require: 'an object?',
    powerPreference: 'a text?',
    submissions: 'an object?',
  });
  checkEach(area, 'a number', 'require', options.require);
  const limits = { maxMs: 'a number?', maxCost: 'a number?' } as const;
  if (options.submissions) checkObject(area, options.submissions, limits, 'submissions');
  return openPlainDevice(gpu, options);
}

/**
 * Wraps a GPUDevice that the caller has requested. Kernels use its limits and features. Unlike `openDevice`
 * it does not probe subgroups. `info`: the adapter info (default: that of an earlier call with this device,
 * else `adapterInfo` of the device). In Dawn `adapterInfo` of a device lacks the subgroup matrices. Deno has
 * no `adapterInfo` of a device: the adapter then has no name and counts as a GPU. HEDDLE_ADAPTER names another
 * adapter whose kernels to choose (known-adapters.ts).
 *
 * @example
 * const adapter = await navigator.gpu.requestAdapter();
 * const device = wrapDevice(await adapter!.requestDevice(), adapter!.info);
 */
export function wrapDevice(device: GPUDevice, info?: Partial<GPUAdapterInfo>): Device {
  const read: Pick<GPUDevice, 'features' | 'limits'> = device;
  checkFieldTypes('wrapDevice', read, { features: 'an object', limits: 'an object' }, 'device');
  if (info !== undefined) checkFieldTypes('wrapDevice', info as AdapterInfo, adapterFields, 'info');
  return wrapPlainDevice(device, info);
}

/**
 * Owns GPU memory; `destroy` frees it. Plans of an engine run one after another, so they share slots.
 *
 * @example
 * const engine = new GpuEngine(device);
 * const [runner] = await engine.preparePlans([makePlan(graph, { traits: device.traits })]);
 * engine.write('weights', weights);
 * const { loss } = await runner.run();
 */
export class GpuEngine extends UncheckedEngine {
  constructor(device: Device, options: GpuEngineOptions = {}) {
    checkDevice('gpuEngine', device);
    checkObject('gpuEngine', options, {
      kernels: 'an object?',
      kernelChoices: 'an object?',
      memoryLimit: 'a number?',
    });
    checkEach('gpuEngine', 'a text', 'kernelChoices', options.kernelChoices);
    super(device, options);
  }

  /** Plans graphs and prepares them to run. Throws as `preparePlans`, or if a plan exceeds the memory limit. */
  override async prepare(graphs: readonly Graph[], options: PrepareOptions = {}): Promise<Runner[]> {
    checkGraphs('engine', graphs);
    checkObject('engine', options, { inFlight: 'a whole number?', kernelChoices: 'an object?' });
    checkEach('engine', 'a text', 'kernelChoices', options.kernelChoices);
    return super.prepare(graphs, options);
  }

  /** Copies host data into a state, from element `offset` on. */
  override write(name: string, data: TensorData, offset = 0): void {
    if (!ArrayBuffer.isView(data)) throw wrongArgument('data', data, 'a typed array');
    if (!Number.isSafeInteger(offset)) throw wrongArgument('offset', offset, 'a whole number');
    super.write(name, data, offset);
  }
}

/**
 * Creates an engine on a GPU device.
 *
 * @example
 * const engine = gpuEngine(await openDevice(navigator.gpu));
 */
export const gpuEngine = (device: Device, options: GpuEngineOptions = {}): Engine =>
  new GpuEngine(device, options);

/**
 * Plans a graph. Throws a HeddleError if a launch exceeds a limit of the device.
 *
 * @example
 * const plan = makePlan(graph, { traits: device.traits });
 * console.log(printPlan(plan));
 */
export function makePlan(graph: Graph, options: PlanOptions = {}): Plan {
  checkGraph('makePlan', graph);
  checkObject('makePlan', options, { traits: 'an object?', kernelChoices: 'an object?' });
  checkTraits('makePlan', options.traits);
  checkEach('makePlan', 'a text', 'kernelChoices', options.kernelChoices);
  return makeUncheckedPlan(graph, options);
}

/**
 * Writes rules into the input `rules` i32. Throws if there are more banned tokens than it has room for.
 *
 * @example
 * const rules = new Int32Array(rulesSize(1));
 * writeRules(rules, { minLength: 3, forceEndAt: -1, noRepeatNgram: 3, firstToken: -1, banned: [7] });
 */
export function writeRules(out: Int32Array, rules: NextTokenRules): void {
  checkTypes('writeRules', 'a list of numbers', { out });
  checkObject('writeRules', rules, {
    minLength: 'a whole number',
    forceEndAt: 'a whole number',
    noRepeatNgram: 'a whole number',
    firstToken: 'a whole number',
    banned: 'a list of whole numbers',
    bannedFirst: 'a list of whole numbers?',
    repetitionPenalty: 'a number?',
    bannedSequences: 'a list?',
  });
  for (const [i, ids] of rules.bannedSequences?.entries() ?? [])
    if (!hasType(ids, 'a list of whole numbers'))
      checkTypes('writeRules', 'a list of whole numbers', { [`bannedSequences[${i}]`]: ids });
  writePlainRules(out, rules);
}

/**
 * Writes settings into the input `sampling` f32 [4].
 *
 * @example
 * const sampling = new Float32Array(samplingSize);
 * writeSampling(sampling, { temperature: 0.8, topP: 0.9, topK: 40 });
 */
export function writeSampling(out: Float32Array, sampling: Sampling): void {
  checkTypes('writeSampling', 'a list of numbers', { out });
  checkObject('writeSampling', sampling, {
    temperature: 'a number',
    topP: 'a number',
    topK: 'a whole number',
  });
  writePlainSampling(out, sampling);
}

/**
 * Writes the block into `out` [stepWords] once; missing scalars are 0.
 *
 * @example
 * const words = new Uint32Array(stepWords);
 * writeStep(words, { learningRate: 1e-3, tokenWeight: 1 / 500, seed: 1 });
 */
export function writeStep(out: Uint32Array, s: Partial<StepScalars> = {}): void {
  if (!ArrayBuffer.isView(out)) checkTypes('writeStep', 'a list of numbers', { out });
  checkObject('writeStep', s, stepFields);
  writePlainStep(out, s);
}

/**
 * Declares the attributes of an op, as its field `attrs`. With `types` a node whose attributes have other types is an
 * error; without them only an attribute that is an object, a function or NaN.
 *
 * @example
 * const attrs = attrsOf<{ readonly eps: number }>({ eps: 'number' });
 */
export function attrsOf<A extends Attrs>(types?: AttrTypes<A>): AttrsType<A> {
  if (types !== undefined) checkEach('attrsOf', 'a text', 'types', types);
  const known = ['number', 'boolean', 'string'];
  for (const [name, type] of Object.entries<string>(types ?? {}))
    if (!known.includes(type.replace(/\?$/, '')))
      throw new HeddleError(
        msg`${`types.${name}`} is ${type}, it must be one of ${listed(known)}, or one with ?`,
        {
          area: 'attrsOf',
        },
      );
  return declareAttrs(types);
}

/**
 * Defines an op; its types follow from `inputs`, `outputs` and `attrs`. Throws if a name is declared twice.
 *
 * @example
 * const double = defineOp({
 *   name: 'double',
 *   inputs: ['x'],
 *   outputs: ['y'],
 *   shape: ({ x }) => ({ y: x }),
 *   launch: ({ x }, { y }) => [
 *     {
 *       shader: { name: 'double', source: wgsl },
 *       entry: 'main',
 *       params: { count: sizeOf(x.shape) },
 *       bind: { x, y },
 *       grid: gridOf(sizeOf(x.shape), 64),
 *     },
 *   ],
 *   grad: (builder, _inputs, _outputs, { y: dy }) => ({ x: dy && add(builder, dy, dy) }),
 *   reference({ x }, { y }) {
 *     for (let i = 0; i < y.size; i++) y.set(i, 2 * x.at(i));
 *   },
 * });
 */
export const defineOp: typeof defineUncheckedOp = (definition) => {
  const fields = {
    name: 'a text',
    inputs: 'a list',
    outputs: 'a list?',
    attrs: 'an object?',
    shape: 'a function',
    mutates: 'a list?',
    inPlace: 'an object?',
    f16Storage: 'a list?',
    f16StorageIf: 'a function?',
    variants: 'a function?',
    naive: 'an object?',
    sample: 'a function?',
    example: 'a function?',
    modelFlops: 'a function?',
    launch: 'a function',
    grad: 'a function?',
    reference: 'a function?',
  } as const satisfies FieldTypes<AnyOp>;
  checkObject<Partial<AnyOp>>('defineOp', definition as object, fields);
  return defineUncheckedOp(definition);
};

/**
 * Checks and times the kernel variants of `graphs`. Returns the variant of every node that has several; it
 * has passed its check, or is the naive variant. Nodes with the most work come first. A further variant of a
 * node is timed only if the slowest measurement so far would still fit the time limit.
 *
 * @example
 * const kernelChoices = await tuneKernels(device, [graph], { budgetMs: 10_000 });
 * const plan = makePlan(graph, { traits: device.traits, kernelChoices });
 */
export async function tuneKernels(
  device: Device,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> {
  checkDevice('tuneKernels', device);
  checkGraphs('tuneKernels', graphs);
  checkObject('tuneKernels', options, {
    known: 'an object?',
    guessed: 'an object?',
    settled: 'an object?',
    budgetMs: 'a number?',
    measureAll: 'a boolean?',
    onMeasured: 'a function?',
    onGuessed: 'a function?',
    onDropped: 'a function?',
    onProgress: 'a function?',
  });
  for (const name of ['known', 'guessed', 'settled'] as const)
    checkEach('tuneKernels', 'a text', name, options[name]);
  return tuneUncheckedKernels(device, graphs, options);
}

/**
 * Runs a plan `runs` times pass by pass. Browsers round timestamps to about 100 us; Dawn with the flags of
 * src/host/dawn.ts does not. Passes are timed by the host's clock if the device has no timestamp queries.
 * Throws a HeddleError if there are more than 2,048 passes.
 *
 * @example
 * const [runner] = await new GpuEngine(device).preparePlans([makePlan(graph, { traits: device.traits })]);
 * const { ms, passes } = await profilePasses(device, runner, 10);
 */
export async function profilePasses(device: Device, runner: Runner, runs = 5): Promise<Profile> {
  checkDevice('profilePasses', device);
  checkFieldTypes<Pick<Runner, 'plan' | 'submit'>>(
    'profilePasses',
    runner,
    { plan: 'an object', submit: 'a function' },
    'runner',
  );
  checkTypes('profilePasses', 'a number', { runs });
  return profilePlainPasses(device, runner, runs);
}
