// heddle as a contestant: the training graph on the engine, run as src/train/update/trainer.ts runs it, and
// its single kernels.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';
import type { TensorData } from '../../src/core/tensor.ts';
import { type Engine, gpuEngine, type Program } from '../../src/engine/engine.ts';
import { type TuneKernelsOptions, tuneKernels } from '../../src/engine/gpu/auto-tuning.ts';
import { type Device, openDevice } from '../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../src/engine/gpu/gpu-engine.ts';
import { median } from '../../src/engine/gpu/plan-timing.ts';
import type { Graph } from '../../src/engine/graph/graph.ts';
import { createStepWriter } from '../../src/engine/ops/step-scalars.ts';
import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import { weightsFromTensors } from '../../src/model/weights-from-tensors.ts';
import { type BatchArrays, fillTokenIndices } from '../../src/text/batches/batches.ts';
import { fillLengths } from '../../src/text/batches/row-lengths.ts';
import { optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import { evaluationGraph, gradientGraph, trainingGraph } from '../../src/train/update/training-graphs.ts';
import type { Contestant, ContestantOptions, KernelMaker, TrainedModel } from './contestant.ts';
import { kernelGraph } from './kernel-graphs.ts';
import { type KernelKind, kernelKinds } from './peer-kernels.ts';
import { hostTiming, round } from './statistics.ts';

type Options = ContestantOptions['heddle'];

/** Opens a device; returns heddle as a contestant on it. */
export async function create(options: Options = {}): Promise<Contestant> {
  const device = await openDevice(navigator.gpu);
  const kernels = Object.fromEntries(
    kernelKinds.map((kind) => [
      kind,
      { untuned: kernelMaker(device, kind, 0), own: kernelMaker(device, kind, 20_000) },
    ]),
  ) as Partial<Record<KernelKind, Record<string, KernelMaker>>>;
  return {
    name: 'heddle',
    device: device.gpu,
    memory: () => null,
    model: (golden) => createModel(device, golden, options),
    kernels,
  };
}

/** Returns the graph of a training step on the batch of a case. */
export function stepGraph(golden: GoldenCase, { noFuse = [] }: Options = {}): Graph {
  const { beta1, beta2, eps, weightDecay, clipNorm } = golden.optimizer;
  const optimizer = optimizerConfig({
    kind: 'adamw',
    beta1,
    beta2,
    eps,
    weightDecay,
    clipNorm,
    decayAll: true,
  });
  return trainingGraph(golden.config, parameterList(golden.config), shapeOf(golden), optimizer, { noFuse });
}

/** Auto-tunes the kernels of the step of a case on this device. */
export async function tuneStep(golden: GoldenCase, options: TuneKernelsOptions): Promise<KernelChoices> {
  const device = await openDevice(navigator.gpu);
  try {
    return await tuneKernels(device, [stepGraph(golden)], options);
  } finally {
    device.destroy();
  }
}

function shapeOf({ source, targetIn }: GoldenCase) {
  return {
    batch: source.shape[0] as number,
    source: source.shape[1] as number,
    target: targetIn.shape[1] as number,
  };
}

/**
 * Returns a function of the step number that writes the batch of a case into the inputs of a program, as for
 * every step.
 */
export function batchLoader(
  { config: c, optimizer, source, targetIn, targetOut }: GoldenCase,
  inputs: Readonly<Record<string, TensorData>>,
): (step: number) => void {
  const input = (name: string) => inputs[name] as TensorData;
  const writeStep = createStepWriter(input('step') as Uint32Array);
  const counted = Array.from(targetOut.data).filter((id) => id !== c.padId).length;
  const [S, T] = [source.shape[1] as number, targetIn.shape[1] as number];
  const scalars = {
    learningRate: optimizer.learningRate,
    tokenWeight: 1 / Math.max(1, counted),
    seed: 0,
    keep: 0,
    position: 0,
  };
  return (step) => {
    input('src').set(source.data);
    input('tgtIn').set(targetIn.data);
    input('tgtOut').set(targetOut.data);
    fillLengths(input('srcLens'), input('src'), S, c.padId, c.srcVocab, 'src');
    fillLengths(input('tgtLens'), input('tgtIn'), T, c.padId, c.tgtVocab, 'tgt_in');
    fillTokenIndices(inputs as unknown as BatchArrays);
    writeStep({ ...scalars, step });
  };
}

function createModel(device: Device, golden: GoldenCase, options: Options): TrainedModel {
  const { config: c } = golden;
  const p = parameterList(c);
  const shape = shapeOf(golden);
  const engine: Engine = gpuEngine(device, {
    kernels: {
      choose: async (graphs) => (options.firstUse ? tuneKernels(device, graphs) : (options.choices ?? {})),
    },
  });
  /** A program with the model's weights, and a function that runs it on the batch. */
  const ready = async (graph: Graph, writeWeights: boolean) => {
    const [program] = (await engine.prepare([graph])) as [Program];
    if (writeWeights) {
      engine.write('weights', weightsFromTensors(p, golden.weights));
      writePositions(engine, c);
    }
    const load = batchLoader(golden, program.inputs);
    let step = 0;
    const recorded: number[] = [];
    const run = () => {
      load(step++);
      const begun = performance.now();
      const outputs = program.run();
      recorded.push(performance.now() - begun);
      return outputs;
    };
    return { program, run, recordMs: () => round(median(recorded.slice(-hostTiming.steps)), 3) };
  };
  type Ready = Awaited<ReturnType<typeof ready>>;

  let written = false;
  const first = () => {
    const writes = !written;
    written = true;
    return writes;
  };
  let training: Ready | undefined;
  let evaluating: Ready | undefined;
  const lossOf = ({ stats }: Readonly<Record<string, TensorData>>) =>
    (stats?.[0] as number) / (stats?.[1] as number);
  return {
    async loss() {
      evaluating ??= await ready(evaluationGraph(c, p, shape, options), first());
      return lossOf(await evaluating.run());
    },
    async gradNorm() {
      const { run } = await ready(gradientGraph(c, p, shape, options).graph, first());
      await run();
      const { data } = await engine.read('gradients');
      return Math.sqrt((data as Float32Array).reduce((sum, g) => sum + g * g, 0));
    },
    async step() {
      training ??= await ready(stepGraph(golden, options), first());
      return lossOf(await training.run());
    },
    get facts() {
      const plan = training?.program.plan;
      return (
        plan && {
          plannedBytes: plan.bytes.peak,
          lowerBoundBytes: plan.bytes.lowerBound,
          gflop: plan.flops / 1e9,
          recordMs: training?.recordMs() ?? Number.NaN,
        }
      );
    },
    dispose: () => engine.destroy(),
  };
}

/** A kernel with the variant that is fastest on this adapter, or that is taken untuned if `budgetMs` is 0. */
function kernelMaker(device: Device, kind: KernelKind, budgetMs: number): KernelMaker {
  return async (inputs) => {
    const { graph, states, hostInputs } = kernelGraph(kind, inputs);
    const kernelChoices = budgetMs > 0 ? await tuneKernels(device, [graph], { budgetMs }) : {};
    const engine = new GpuEngine(device);
    const [runner] = await engine.preparePlans([makePlan(graph, { traits: device.traits, kernelChoices })]);
    if (!runner) throw new Error('heddle: no runner');
    for (const [name, { data }] of Object.entries(states)) engine.write(name, data);
    const fill = () => {
      for (const [name, data] of Object.entries(hostInputs())) runner.inputs[name]?.set(data);
    };
    return {
      async run(times) {
        for (let i = 0; i < times; i++) fill(); // as in every step
        await runner.time(times);
      },
      async read() {
        fill();
        return (await runner.run()).result as Float32Array;
      },
      dispose: () => engine.destroy(),
    };
  };
}
