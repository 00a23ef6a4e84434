// The process that compiles kernels on the null driver, one after another. For each kernel it writes a line
// to stderr before the output of the driver. Arguments: a workload, the file to write the WGSL of each module, the
// passes of each plan and all pipelines to, the folder of kernels that need not be compiled (compiled-cache.ts), and
// `record` to compile nothing (recorded-kernels.ts).

import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { graphOf, type KernelCase, type KernelSpec } from '../../src/bench/kernel-case.ts';
import { kernelCases } from '../../src/bench/kernel-cases.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';
import { presetGraphs, type presetRuns } from '../../src/commands/jobs/preset-graphs.ts';
import { type Device, openDevice, wrapDevice } from '../../src/engine/gpu/device.ts';
import { assumedAdapter } from '../../src/engine/gpu/known-adapters.ts';
import { pipelinesOf } from '../../src/engine/gpu/pipelines.ts';
import { variantsOf } from '../../src/engine/ops/op-nodes.ts';
import { variantKey } from '../../src/engine/plan/kernel-choices.ts';
import type { Pass, Plan } from '../../src/engine/plan/plan.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { features } from '../../src/features/features.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import { type PresetName, presets } from '../../src/model/presets.ts';
import { CompiledCache, cacheKey } from './compiled-cache.ts';
import { type RecordedKernel, recordingGpu } from './recorded-kernels.ts';

/** TensorFlow.js, jax-js, and the flash attention of onnxruntime-web. */
export type Peer = 'tfjs' | 'jax' | 'ort';

/** The kernels to compile. */
export type Workload =
  /** Those that are taken before tuning. */
  | {
      readonly kind: 'untuned';
      readonly presets: readonly PresetName[];
      /** Fields of the presets to change. */
      readonly model: Partial<ModelOptions>;
      /** Tokens of both vocabularies. */
      readonly vocab: number;
      /** Sentences of batches of training and evaluation. */
      readonly batches: readonly number[];
      /** Numbers of rows of the decoding steps. */
      readonly rows: readonly number[];
      /** Widths of heads whose attention is compiled too. */
      readonly widths: readonly number[];
      readonly only: Only;
    }
  /** All variants of the kernels of `heddle bench`. */
  | { readonly kind: 'variants'; readonly only: Only }
  | { readonly kind: 'peer'; readonly peer: Peer }
  | { readonly kind: 'files'; readonly files: readonly string[] };

/** The workload of the kernels that are taken before tuning. */
type Untuned = Extract<Workload, { kind: 'untuned' }>;

/** Parts of names of kernels, in any case: only kernels with one of them are compiled. Empty: all. */
type Only = readonly string[];

/** A kernel that is about to be compiled. */
export interface Announcement {
  /** `heddle`, the file's name, or the peer. */
  readonly from: string;
  /** `shader.entry` and its constants. */
  readonly name: string;
  /** Index of its WGSL in `CompileOutput.modules`. */
  readonly module: number;
  /** Its key in the cache; absent if it is not kept. */
  readonly key?: string;
  /** Whether it is not compiled, because it is in the cache. */
  readonly cached?: boolean;
}

/** One pass of a plan, for the estimate. */
export interface EstimatedPass {
  readonly kernel: string;
  readonly op: string;
  readonly flops: number;
  readonly bytes: number;
  readonly workgroups: number;
}

/** Names of the kernels of each variant of a benchmark case, by the name of the case. */
export type VariantKernels = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Output file of the process. */
export interface CompileOutput {
  readonly modules: readonly string[];
  /** Passes of each step of a preset: `mid training 64`. */
  readonly runs: Readonly<Record<string, readonly EstimatedPass[]>>;
  readonly variants: VariantKernels;
  readonly kernels: readonly RecordedKernel[];
}

/** Matrix products that are compiled for the peers: m, k, n, and whether b is transposed. */
const PRODUCTS = [
  [2048, 2048, 2048, false],
  [768, 256, 8000, true],
] as const;
/** Input shape of their softmax and layer norm. */
const ROWS: [number, number] = [768, 8000];

const [workloadText = '', outputPath = '', cacheFolder = '', mode = ''] = process.argv.slice(2);
const workload = JSON.parse(workloadText) as Workload;
const modules: string[] = [];
const runs: Record<string, readonly EstimatedPass[]> = {};
const variants: Record<string, Record<string, readonly string[]>> = {};
const kernels: RecordedKernel[] = [];
const moduleIds = new WeakMap<GPUShaderModule, number>();
const cache = new CompiledCache(cacheFolder);

const from = workload.kind === 'peer' ? workload.peer : workload.kind === 'files' ? 'wgsl' : 'heddle';
const gpu = announcing(mode === 'record' ? recordingGpu(assumedAdapter() ?? 'unnamed') : await dawnGpu());

if (workload.kind === 'files') await compileFiles(workload.files);
else if (workload.kind === 'peer') await compilePeer(workload.peer);
else {
  const opened = await openDevice(gpu);
  // No shader runs here, so the probe of openDevice would disable subgroups.
  const device: Device = { ...opened, traits: wrapDevice(opened.gpu).traits };
  if (workload.kind === 'variants') for (const kernel of kernelCases) await compileVariants(device, kernel);
  else await compileUntuned(device, workload);
}
const output: CompileOutput = { modules, runs, variants, kernels };
writeFileSync(outputPath, JSON.stringify(output));
process.exit(0);

/** Whether a kernel of heddle is to be compiled. */
function isWanted(name: string): boolean {
  const only = 'only' in workload ? workload.only : [];
  return only.length === 0 || only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
}

async function compileUntuned(device: Device, workload: Untuned): Promise<void> {
  const { presets: names, batches, rows, widths } = workload;
  for (const preset of names) {
    for (const batch of batches)
      for (const run of ['training', 'evaluation'] as const)
        await compilePreset(device, workload, preset, run, batch);
    for (const count of rows) await compilePreset(device, workload, preset, 'decoding', count);
  }
  for (const kernel of widths.flatMap(attentionCases)) await compileDefault(device, kernel);
}

/** Announced name of a pass's kernel. */
function kernelName({ shader, entry, constants, f16, subgroupSize }: Pass): string {
  const name = typeof shader === 'string' ? shader : shader.name;
  return `${name}.${entry} ${JSON.stringify(constants)}${f16?.length ? ` f16 ${f16}` : ''}${subgroupSize ? ` subgroup ${subgroupSize}` : ''}`;
}

async function compilePasses(device: Device, passes: readonly Pass[]): Promise<void> {
  for (const pass of passes) {
    announced = kernelName(pass);
    if (!isWanted(announced)) continue;
    await pipelinesOf(device.gpu).get(pass);
  }
}

/** Training and cached attention with heads of a width. */
function attentionCases(width: number): KernelCase[] {
  const passes = ['forward', 'backward'];
  const of = (family: string, values: KernelSpec['values']) => kernelOf({ family, values });
  return [
    ...passes.map((pass) => of('attention', { batch: 4, length: 64, heads: 4, width, pass })),
    ...passes.map((pass) =>
      of('cross-attention', { batch: 4, queries: 64, keys: 64, heads: 4, width, pass }),
    ),
    of('cached attention', { kind: 'self-attention', rows: 8, length: 64, heads: 4, width }),
    ...[4, 8].map((beams) =>
      of('cached attention', { kind: 'cross-attention', rows: 8, beams, length: 64, heads: 4, width }),
    ),
  ];
}

/** Compiles the variant of a case that is taken before tuning. */
async function compileDefault(device: Device, kernel: KernelCase): Promise<void> {
  const { graph, node } = graphOf(kernel);
  const { passes } = makePlan(graph, { traits: device.traits });
  await compilePasses(
    device,
    passes.filter((pass) => pass.node === node.id),
  );
}

/** Compiles every variant of a benchmark case. */
async function compileVariants(device: Device, kernel: KernelCase): Promise<void> {
  if (kernel.needs === 'f16' && !device.traits.f16) return;
  const { graph, node } = graphOf(kernel);
  for (const variant of variantsOf(node, device.traits)) {
    const plan = makePlan(graph, {
      traits: device.traits,
      kernelChoices: { [variantKey(node)]: variant.name },
    });
    const passes = plan.passes.filter((pass) => pass.node === node.id);
    await compilePasses(device, passes);
    variants[kernel.name] = {
      ...variants[kernel.name],
      [variant.name]: passes.map(kernelName).filter(isWanted),
    };
  }
}

async function compilePreset(
  device: Device,
  { model, vocab }: Untuned,
  preset: PresetName,
  run: (typeof presetRuns)[number],
  batch: number,
): Promise<void> {
  const { maxLength } = { ...presets[preset], ...model };
  const length = Math.min(32, maxLength);
  const shape = { batch, source: length, target: length };
  const { graphs } = await presetGraphs({ preset, run, model, vocab, shape }, features.sourceKinds);
  for (const [i, graph] of graphs.entries()) {
    const plan: Plan = makePlan(graph, { traits: device.traits });
    await compilePasses(device, plan.passes);
    const title = run === 'decoding' ? ['decoding source', 'decoding step'][i] : run;
    runs[`${preset} ${title} ${batch}`] = plan.passes.map((pass) => ({
      kernel: kernelName(pass),
      op: pass.op,
      flops: pass.flops,
      bytes: Object.values(pass.bind).reduce((sum, range) => sum + range.bytes, 0),
      workgroups: pass.grid.reduce((product, size) => product * size, 1),
    }));
  }
}

async function compileFiles(files: readonly string[]): Promise<void> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const optional = [
    'subgroups',
    'subgroup-size-control',
    'shader-f16',
    'chromium-experimental-subgroup-matrix',
  ] as GPUFeatureName[];
  const device = await adapter.requestDevice({
    requiredFeatures: optional.filter((f) => adapter.features.has(f)),
  });
  for (const file of files) {
    const code = readFileSync(file, 'utf8');
    const module = device.createShaderModule({ code, label: file });
    for (const [, entryPoint = ''] of code.matchAll(/@compute[^{]*?\bfn\s+(\w+)/g)) {
      announced = `${file}.${entryPoint}`;
      await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    }
  }
}

function compilePeer(peer: Peer): Promise<void> {
  return { tfjs: compileTfjs, jax: compileJax, ort: compileOrt }[peer]();
}

async function compileTfjs(): Promise<void> {
  browserGlobals();
  const require = createRequire(resolve('bench/peers/package.json'));
  const tf = require('@tensorflow/tfjs-core');
  require('@tensorflow/tfjs-backend-webgpu');
  await tf.setBackend('webgpu');
  await tf.ready();
  for (const [m, k, n, transB] of PRODUCTS)
    await tf.matMul(tf.ones([m, k]), tf.ones(transB ? [n, k] : [k, n]), false, transB).data();
  await tf.softmax(tf.ones(ROWS)).data();
  const x = tf.ones(ROWS);
  const { mean, variance } = tf.moments(x, 1, true);
  await tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))).data();
}

async function compileJax(): Promise<void> {
  browserGlobals();
  await import('../peers/iterator-helpers.ts');
  const jax = await import(resolve('bench/peers/node_modules/@jax-js/jax/dist/index.js'));
  await jax.init('webgpu');
  jax.defaultDevice?.('webgpu');
  const { numpy: np, nn, jit } = jax;
  const finish = (array: { data?: () => Promise<unknown> }) =>
    Promise.race([array.data?.(), new Promise((done) => setTimeout(done, 2000))]);
  for (const [m, k, n, transB] of PRODUCTS)
    await finish(
      jit((a: unknown, b: unknown) => np.matmul(a, transB ? np.matrixTranspose(b) : b))(
        np.ones([m, k]),
        np.ones(transB ? [n, k] : [k, n]),
      ),
    );
  await finish(jit((x: unknown) => nn.softmax(x, -1))(np.ones(ROWS)));
  await finish(jit((x: unknown) => nn.standardize(x, -1))(np.ones(ROWS)));
}

/**
 * An ONNX model, written by onnx.helper: q, k, v [1,512,512] -> y, com.microsoft.MultiHeadAttention with
 * num_heads 8, so heads of width 64.
 */
const attentionModel =
  'CAg6sgEKQQoBcQoBawoBdhIBeSISTXVsdGlIZWFkQXR0ZW50aW9uKhAKCW51bV9oZWFkcxgIoAECOg1jb20ubWljcm9zb2Z0EgFhWhkKAXESFAoSCAES' +
  'DgoCCAEKAwiABAoDCIAEWhkKAWsSFAoSCAESDgoCCAEKAwiABAoDCIAEWhkKAXYSFAoSCAESDgoCCAEKAwiABAoDCIAEYhkKAXkSFAoSCAESDgoCCAEK' +
  'AwiABAoDCIAEQgQKABARQhEKDWNvbS5taWNyb3NvZnQQAQ==';

async function compileOrt(): Promise<void> {
  browserGlobals();
  const folder = pathToFileURL(`${resolve('bench/decode/node_modules/onnxruntime-web/dist')}/`);
  const ort = await import(new URL('ort.webgpu.mjs', folder).href);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = folder.href;
  const model = new Uint8Array(Buffer.from(attentionModel, 'base64'));
  const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'] });
  const tensor = () => new ort.Tensor('float32', new Float32Array(512 * 512), [1, 512, 512]);
  const done = session.run({ q: tensor(), k: tensor(), v: tensor() });
  await Promise.race([done, new Promise((timeout) => setTimeout(timeout, 10_000))]);
}

/** Lets a queue accept shared memory, such as onnxruntime's WebAssembly memory; Dawn's binding rejects it. */
function copySharedBytes(device: GPUDevice): void {
  const { queue } = device;
  const writeBuffer = queue.writeBuffer.bind(queue);
  queue.writeBuffer = (buffer, offset, data, ...range) => {
    writeBuffer(buffer, offset, data instanceof Uint8Array ? data.slice() : data, ...range);
    return undefined;
  };
  Object.defineProperty(device, 'queue', { value: queue });
}

/** Defines the browser globals that the peers need. */
function browserGlobals(): void {
  const globals = globalThis as Record<string, unknown>;
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  globals.window ??= globalThis;
  globals.self ??= globalThis;
  globals.document ??= { createElement: () => ({ getContext: () => null }) };
  process.on('uncaughtException', (error) => console.error('uncaught', error.message));
}

/** Writes a line before what the driver prints. */
function writeAnnouncement(line: Announcement): void {
  writeSync(2, `\n@@ ${JSON.stringify(line)}\n`);
}

/** Makes all devices of a GPU announce their compilations, one at a time. */
function announcing(inner: GPU): GPU {
  const requestAdapter = inner.requestAdapter.bind(inner);
  inner.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    if (!adapter) return adapter;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => announceDevice(await requestDevice(descriptor));
    return adapter;
  };
  return inner;
}

/** Name of the next kernel; the descriptor's label if it is empty. */
var announced: string | undefined; // `var`: compilations start before this line is reached

function announceDevice(device: GPUDevice): GPUDevice {
  if (from === 'ort') copySharedBytes(device);
  let last: Promise<unknown> = Promise.resolve();
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    moduleIds.set(module, modules.push(descriptor.code) - 1);
    return module;
  };
  /** Announces a kernel; returns whether it is in the cache. Only kernels of plans are, which never run here. */
  const announce = ({ label, compute }: GPUComputePipelineDescriptor): boolean => {
    const name = announced ?? `${label || compute.module.label} ${JSON.stringify(compute.constants ?? {})}`;
    const module = moduleIds.get(compute.module) ?? -1;
    const { entryPoint = '', constants = {} } = compute;
    kernels.push({ from, name, module, entry: entryPoint, constants });
    const key = announced === undefined ? undefined : cacheKey(modules[module] ?? '', entryPoint, constants);
    const cached = key !== undefined && cache.has(key);
    writeAnnouncement({ from, name, module, key, cached });
    return cached;
  };
  const later = device.createComputePipelineAsync.bind(device);
  const now = device.createComputePipeline.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    const pipeline = last
      .catch(() => undefined)
      .then(() => {
        return announce(descriptor) ? ({} as GPUComputePipeline) : later(descriptor);
      });
    last = pipeline;
    return pipeline;
  };
  device.createComputePipeline = (descriptor) => {
    announce(descriptor);
    return now(descriptor);
  };
  return device;
}
