// npm run bench:scale: measures how cost grows with length, batch, vocabulary, layers and width, one axis at
// a time around the preset `mid`. Memory, dispatches and FLOPs are read from the plans, at all sizes.
// JavaScript is timed on Dawn's null backend, which accepts commands and computes nothing, if the buffers
// fit; steps are timed on an adapter, up to a time limit.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { noiseCorpus } from '../../src/bench/step-bench.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { adapterName } from '../../src/core/host-name.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../../src/decode/decoding-graphs.ts';
import { gpuEngine } from '../../src/engine/engine.ts';
import { type Device, openDevice } from '../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../src/engine/gpu/gpu-engine.ts';
import { fewestLaunches } from '../../src/engine/gpu/launch-tuning.ts';
import type { Graph } from '../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../src/engine/ops/device-traits.ts';
import { inputsOf, outputsOf } from '../../src/engine/ops/op-nodes.ts';
import { writeStep, zeroStep } from '../../src/engine/ops/step-scalars.ts';
import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { type ModelConfig, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import { presets } from '../../src/model/presets.ts';
import type { BatchArrays } from '../../src/text/batches/batches.ts';
import { fillBatch } from '../../src/text/batches/batches.ts';
import { initializeTraining } from '../../src/train/run/training-state.ts';
import { optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import { trainingGraph } from '../../src/train/update/training-graphs.ts';
import { fitsOf } from './scale-fits.ts';
import {
  type AxisCosts,
  type Cost,
  type LayerDispatches,
  type Run,
  type Sizes,
  scaleReport,
} from './scale-report.ts';
import { dispatchTable, scaleTable } from './scale-tables.ts';

const USAGE = `usage: npm run bench:scale -- [options]

Measures how the cost of training and decoding grows with each size of a model, and exits with status 1 if a cost exceeds its limit.

  --quick          plans only: a check of a few seconds
  --no-times       do not time steps, which needs a WebGPU adapter
  --seconds N      leave out steps that would take longer than N seconds (default: 4)
  --save           write the table and the report to bench/results/`;

const RESULTS = resolve(import.meta.dirname, '../../results'); // this module runs from .vite/

/** The point that is on all axes. */
export const center: Sizes = { length: 32, batch: 8, vocabulary: 8000, layers: 3, width: 256 };

/** Values of each axis. */
export const axes: Readonly<Record<keyof Sizes, readonly number[]>> = {
  length: [32, 64, 128, 256, 512, 1024, 2048, 4096],
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  vocabulary: [4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000],
  layers: [1, 2, 3, 6, 12, 24],
  width: [64, 128, 256, 512, 1024],
};

/** The adapter of the plans. */
const gpuTraits = {
  ...defaultTraits,
  maxBindingBytes: 2 ** 31,
  subgroups: true,
  minSubgroup: 32,
  maxWorkgroupBytes: 32768,
};

/** The graphs of a run; the last one is the step. */
const graphsOf = (sizes: Sizes, run: Run): { config: ModelConfig; graphs: Graph[] } => {
  const { length, batch, vocabulary, layers, width } = sizes;
  const config = modelConfig({
    ...presets.mid,
    srcVocab: vocabulary,
    tgtVocab: vocabulary,
    maxLength: length,
    encoderLayers: layers,
    decoderLayers: layers,
    dModel: width,
    feedForward: 4 * width,
    heads: width / 32,
  });
  const p = parameterList(config);
  const shape = { batch, source: length, target: length };
  const graphs =
    run === 'training'
      ? [trainingGraph(config, p, shape, optimizerConfig())]
      : [sourceGraph(config, p, shape), stepGraph(config, p, shape, plainGreedy)];
  return { config, graphs };
};

/** Returns a function that fills the batch of a step with random tokens. */
function filler({ length, batch, vocabulary }: Sizes, inputs: unknown): () => void {
  const corpus = noiseCorpus({ batch, source: length, target: length, vocab: vocabulary });
  const rows = Uint32Array.from({ length: batch }, (_, i) => i);
  return () => void fillBatch(inputs as BatchArrays, { batch, source: length, target: length }, corpus, rows);
}

const min = (list: readonly number[]): number => Math.min(...list);

/** Memory, dispatches and FLOPs of the plans for a GPU. */
function planCosts(graphs: readonly Graph[], choices: readonly KernelChoices[] = []): Cost {
  const plans = graphs.map((graph, i) => makePlan(graph, { traits: gpuTraits, kernelChoices: choices[i] }));
  const nodes = graphs.at(-1)?.nodes ?? [];
  const flops = (attention: boolean) =>
    nodes
      .filter(({ op }) => /attention/.test(op.name) === attention)
      .reduce((n, node) => n + nodeFlops(node), 0);
  return {
    memory: Math.max(...plans.map(({ bytes }) => bytes.peak)),
    dispatches: plans.at(-1)?.passes.length ?? 0,
    attentionFlops: flops(true),
    otherFlops: flops(false),
  };
}

/** Dawn's null backend has 512 MiB; the rest is for staging buffers and for the weights of several plans. */
const nullBytes = 400 * 2 ** 20;

/** Times JavaScript, the fastest of `runs`; returns nothing if the plans do not fit the null backend. */
async function jsCosts(
  device: Device,
  sizes: Sizes,
  run: Run,
  runs: number,
): Promise<Pick<Cost, 'jsMs' | 'fillMs'>> {
  const plans = graphsOf(sizes, run).graphs.map((graph) => makePlan(graph, { traits: gpuTraits }));
  if (Math.max(...plans.map(({ bytes }) => bytes.peak)) > nullBytes) return {};
  const engine = new GpuEngine(device);
  try {
    const runner = (await engine.preparePlans(plans)).at(-1);
    if (!runner) throw new Error('scale: there is no plan');
    const fill = run === 'training' ? filler(sizes, runner.inputs) : undefined;
    const [js, fills]: [number[], number[]] = [[], []];
    for (let i = 0; i < runs; i++) {
      const begin = performance.now();
      fill?.();
      fills.push(performance.now() - begin);
      writeStep(runner.inputs.step as Uint32Array, { ...zeroStep, step: i });
      const done = runner.run();
      js.push(performance.now() - begin);
      await done;
    }
    return { jsMs: min(js), fillMs: fill && min(fills) };
  } finally {
    engine.destroy();
  }
}

const nodeFlops = (node: Graph['nodes'][number]): number =>
  node.op.modelFlops?.(inputsOf(node), outputsOf(node), node.attrs) ?? 0;

/** Times the first step and three others on a device. */
async function timesOf(device: Device, sizes: Sizes, run: Run): Promise<Pick<Cost, 'stepMs' | 'firstMs'>> {
  const engine = gpuEngine(device);
  try {
    const begin = performance.now();
    const { config, graphs } = graphsOf(sizes, run);
    const program = (await engine.prepare(graphs)).at(-1);
    if (!program) throw new Error('scale: there is no program');
    await initializeTraining(
      engine,
      { config, parameters: parameterList(config) },
      { seed: 1, init: 'xavier' },
    );
    writePositions(engine, config);
    if (run === 'training') filler(sizes, program.inputs)();
    const position = run === 'decoding' ? sizes.length - 1 : 0;
    const times: number[] = [];
    for (let step = 0; step < 4; step++) {
      const from = step === 0 ? begin : performance.now();
      writeStep(program.inputs.step as Uint32Array, {
        ...zeroStep,
        learningRate: 1e-4,
        tokenWeight: 1e-3,
        step,
        position,
      });
      await program.run();
      times.push(performance.now() - from);
    }
    return { firstMs: times[0] as number, stepMs: min(times.slice(1)) };
  } catch (error) {
    if (error instanceof HeddleError && error.kind === 'memory') return {}; // the adapter's limits
    throw error;
  } finally {
    engine.destroy();
  }
}

/**
 * Measures all axes. JavaScript is timed `runs` times (0: not); along an axis, steps are timed until one would take
 * longer than `seconds` (0: steps are not timed).
 */
export async function measureScale(
  values: typeof axes,
  { runs, seconds, onPoint }: { runs: number; seconds: number; onPoint(text: string): void },
): Promise<{ adapter?: string; all: AxisCosts[] }> {
  const device = seconds > 0 ? await openDevice(await dawnGpu()) : undefined;
  const nullDevice = runs > 0 ? await openDevice(await dawnGpu({ flags: ['backend=null'] })) : undefined;
  const all: AxisCosts[] = [];
  for (const run of ['training', 'decoding'] as const)
    for (const axis of Object.keys(values) as (keyof Sizes)[]) {
      const points: { value: number; cost: Cost }[] = [];
      let rate = 0;
      for (const value of values[axis]) {
        const sizes = { ...center, [axis]: value };
        onPoint(`${run}, ${axis} ${value}`);
        const inJs = nullDevice && (await jsCosts(nullDevice, sizes, run, runs));
        const cost = { ...planCosts(graphsOf(sizes, run).graphs), ...inJs };
        const work = cost.attentionFlops + cost.otherFlops;
        const timed = device && work * rate <= 1000 * seconds ? await timesOf(device, sizes, run) : {};
        if (device) rate = timed.stepMs ? timed.stepMs / work : Number.POSITIVE_INFINITY;
        points.push({ value, cost: { ...cost, ...timed } });
      }
      all.push({ axis, run, points });
    }
  const adapter = device && adapterName(device.adapter);
  device?.destroy();
  nullDevice?.destroy();
  return { adapter, all };
}

/** Dispatches of a training step, and of a token of one row, each as usual and with few launches. */
export function layerDispatches(): LayerDispatches[] {
  const count = (run: Run, layers: number, fuse: boolean): number => {
    const { graphs } = graphsOf({ ...center, layers, batch: run === 'decoding' ? 1 : 32 }, run);
    const choices = fuse ? graphs.map((graph) => fewestLaunches(graph, gpuTraits)) : [];
    return planCosts(graphs, choices).dispatches;
  };
  const line = (name: string, run: Run, fuse: boolean): LayerDispatches => {
    const [three, six] = [count(run, 3, fuse), count(run, 6, fuse)];
    return { run: name, dispatches: three, perLayer: (six - three) / 3 };
  };
  return [
    line('training, 32 rows', 'training', false),
    line('training, 32 rows, launch-bound', 'training', true),
    line('token, 1 row', 'decoding', false),
    line('token, 1 row, launch-bound', 'decoding', true),
  ];
}

/** Runs the command; resolves to its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      'no-times': { type: 'boolean', default: false },
      seconds: { type: 'string', default: '4' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new HeddleError(`--seconds ${values.seconds}: must be a positive number`);
  const { adapter = 'no adapter', all } = await measureScale(axes, {
    runs: values.quick ? 0 : 15,
    seconds: values.quick || values['no-times'] ? 0 : seconds,
    onPoint: (text) => console.error(text),
  });
  const fits = fitsOf(all);
  const c = center;
  const title = `Around mid: length ${c.length}, batch ${c.batch}, vocabulary ${c.vocabulary}, ${c.layers} layers, width ${c.width}; ${adapter}`;
  const table = `${scaleTable(all, fits)}\n\n${dispatchTable(layerDispatches())}`;
  console.log(`${title}\n\n${table}`);
  if (values.save) {
    const name = join(RESULTS, `${new Date().toISOString().slice(0, 10)}-scale`);
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(`${name}.md`, `# How cost grows\n\n${title}\n\n${table}\n`);
    writeFileSync(`${name}.html`, scaleReport(title, all, fits));
    console.error(`wrote ${name}.md and .html`);
  }
  const broken = fits.filter((f) => !f.passed);
  for (const f of broken)
    console.error(`${f.run}: ${f.cost} grows with ${f.axis}^${f.exponent.toFixed(3)}, allowed ${f.limit}`);
  return broken.length > 0 ? 1 : 0;
}
