// The trainer: plans for every batch shape, and one call per step that uploads a batch, submits once and
// reads the loss later. Data and loop are separate; see src/train/run/loop.ts.

import type { Engine, Program } from '../../engine/engine.ts';
import { addFiniteChecks, type FiniteReader, finiteOutput } from '../../engine/graph/finite-checks.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { clipAt, counterAt, lossScales } from '../../engine/ops/optimizer/clip.ts';
import { createStepWriter, type StepScalars, writeStep, zeroStep } from '../../engine/ops/step-scalars.ts';
import { sameKernels } from '../../engine/plan/kernel-choices.ts';
import { type InitScheme, initializeWeights } from '../../model/initialize-weights.ts';
import { adaptedParameters, initializeLora, type LoraConfig, loraParameters } from '../../model/lora.ts';
import type { DropoutRates, ModelConfig } from '../../model/model-config.ts';
import { readWeights, writePositions, writeWeights } from '../../model/model-states.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList } from '../../model/parameters.ts';
import {
  quantizedParameters,
  type WeightFormat,
  type WeightReader,
} from '../../model/quantized-parameters.ts';
import type { BatchArrays } from '../../text/batches/batches.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import type { TokenSums } from '../../text/metrics/translation-metrics.ts';
import type { SpecialIds } from '../../text/tokenizers/tokenizer.ts';
import { isScaled, nonFiniteError } from './non-finite.ts';
import type { OptimizerConfig } from './optimizer-config.ts';
import { learningRate, type ScheduleConfig } from './schedule.ts';
import { type TrainableParameters, trainableParameters } from './trainable-parameters.ts';
import {
  evaluationGraph,
  type GraphOptions,
  gradientAccumulationGraph,
  type InputArrays,
  inputArrays,
  trainingGraph,
  updateGraph,
  updateNormGraph,
  updateRatio,
} from './training-graphs.ts';

/** Configuration of the updates. */
export interface Recipe {
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  /** Seed of the initial weights, data order and dropout. */
  readonly seed: number;
  readonly init: InitScheme;
  /** Batches per update (gradient accumulation). */
  readonly gradientAccumulationSteps: number;
}

/** A batch: its shape, the number of its target tokens, and a function that writes its arrays. */
export interface Batch {
  /** Index in the trainer's shapes. */
  readonly shape: number;
  /** Number of target tokens, without padding. */
  readonly tokens: number;
  fill(arrays: BatchArrays): unknown;
}

/** Report of an update. */
export interface StepReport {
  /** Number of the update, from 0. */
  readonly step: number;
  /** Mean loss per target token, label smoothing included. */
  readonly loss: number;
  /** Fraction of target tokens that the model predicts. */
  readonly accuracy: number;
  readonly tokens: number;
  readonly learningRate: number;
  /** Global norm of the gradients before clipping; NaN if the step was skipped. */
  readonly gradientNorm: number;
  /** Whether the update was skipped because a gradient is not finite. */
  readonly skipped: boolean;
  /** Scale of the loss for its gradients; 0: none. */
  readonly lossScale: number;
  /** Floating-point operations of the update's matrix products; see `modelFlops` of a plan. 0 on the CPU. */
  readonly modelFlops: number;
  /** Norm of the update over the norm of the trained weights after it, if it was measured. */
  readonly updateRatio?: number;
}

/** Options of a trainer. */
export interface TrainerOptions extends GraphOptions {
  /** Check every tensor of every step: an update rejects at the first NaN or infinity, with its origin. */
  readonly checkFinite?: boolean;
  /** Storage of the weights under a LoRA adapter: f16 and int8 take less memory. [f32] */
  readonly weights?: WeightFormat;
  /** Measure the norm of the update over that of the weights every N updates; 0: never. [0] */
  readonly updateRatioSteps?: number | undefined;
}

/** Trains one model on one engine. */
export interface Trainer {
  /**
   * All weights, with their storage and the LoRA adapter if there is one: graphs for inference take this list
   * too.
   */
  readonly parameters: ParameterList;
  /** The parameters that are trained. */
  readonly trainable: TrainableParameters;
  readonly recipe: Recipe;
  readonly shapes: readonly BatchShape[];
  /** Number of the next update. Set it to resume from a checkpoint. */
  step: number;
  /** Schedule of the learning rate from the next update on: at first that of the recipe. */
  schedule: ScheduleConfig;
  /** Changes the dropout rates from the next update on. No update may be pending. */
  setDropout(rates: DropoutRates): Promise<void>;
  /**
   * Does one update on `gradientAccumulationSteps` batches (or fewer at the end of the data): uploads,
   * submits and returns at once. Resolves when the loss has come back. At most two updates may be pending.
   */
  update(batches: readonly Batch[]): Promise<StepReport>;
  /** Evaluates a batch: no dropout, no label smoothing, no update. `special`: see `runEvaluation`. */
  evaluate(batch: Batch, special?: Pick<SpecialIds, 'unknown' | 'pad'>): Promise<TokenSums>;
  /** The programs, for reports: those of training by shape come first. */
  readonly programs: readonly Program[];
}

/**
 * Initializes training state: weights (from the seed unless given) in their storage `format`, LoRA adapter,
 * EMA copy and loss scale. Moments and counters are zero on a new engine. Weights can be read in parts only
 * under a LoRA adapter.
 */
export async function initializeTraining(
  engine: Engine,
  c: ModelConfig,
  recipe: Pick<Recipe, 'seed' | 'init'> & { readonly optimizer?: OptimizerConfig },
  {
    weights,
    lora,
    format = 'f32',
  }: {
    readonly weights?: Float32Array | WeightReader;
    readonly lora?: LoraConfig | undefined;
    readonly format?: WeightFormat;
  } = {},
): Promise<void> {
  const p = parameterList(c);
  let trained = weights ?? initializeWeights(c, p, recipe.seed, recipe.init);
  if ('read' in trained) await readWeights(engine, c, quantizedParameters(p, format), trained);
  else writeWeights(engine, c, quantizedParameters(p, format), trained);
  if (lora) {
    trained = initializeLora(c, loraParameters(c, lora), recipe.seed);
    engine.write('lora', trained);
  }
  const { emaDecay = 0, lossScaleGrowth = 0 } = recipe.optimizer ?? {};
  if (emaDecay > 0 && !('read' in trained)) engine.write('average', trained);
  if (lossScaleGrowth > 0) engine.write('counters', Float32Array.of(lossScales.first), counterAt.lossScale);
}

/**
 * A prepared graph: its program, the writer of its step scalars, and the check for values that are not
 * finite, if there is one.
 */
interface Part {
  readonly graph: Graph;
  readonly program: Program;
  readonly writeStep: (scalars: StepScalars) => void;
  readonly watch: FiniteReader | undefined;
}

/** A prepared graph that reads a batch from these arrays. */
interface BatchPart extends Part {
  readonly arrays: InputArrays;
}

/**
 * Runs a program of `evaluationGraph` on the batch that `fill` writes; returns the sums over its target
 * tokens. If a target token is `unknown`, it runs a second time with them as padding, which does not count.
 */
export async function runEvaluation(
  program: Program,
  fill: (arrays: BatchArrays) => unknown,
  { unknown, pad }: Pick<SpecialIds, 'unknown' | 'pad'> = { unknown: -1, pad: -1 },
): Promise<TokenSums> {
  const arrays = inputArrays(program);
  fill(arrays);
  writeStep(arrays.step);
  const { stats } = await program.run();
  const [loss = Number.NaN, tokens = 0, hits = 0] = [...(stats ?? [])];
  if (unknown === pad || !arrays.tgtOut.includes(unknown))
    return { loss, tokens, hits, knownTokens: tokens, knownHits: hits };
  for (let i = 0; i < arrays.tgtOut.length; i++) if (arrays.tgtOut[i] === unknown) arrays.tgtOut[i] = pad;
  const [, knownTokens = 0, knownHits = 0] = [...((await program.run()).stats ?? [])];
  return { loss, tokens, hits, knownTokens, knownHits };
}

/**
 * Creates a trainer with plans for training and evaluation in every shape. It trains the weights on the
 * engine; see `initializeTraining`.
 */
export async function createTrainer(
  engine: Engine,
  c: ModelConfig,
  recipe: Recipe,
  shapes: readonly BatchShape[],
  options: TrainerOptions = {},
): Promise<Trainer> {
  const p = adaptedParameters(quantizedParameters(parameterList(c), options.weights ?? 'f32'), options.lora);
  const accumulating = recipe.gradientAccumulationSteps > 1;
  const plain = { ...c, labelSmoothing: 0 };
  const trainable = trainableParameters(c, p, options);
  const graphsFor = (config: ModelConfig) =>
    shapes.map((shape) =>
      accumulating
        ? gradientAccumulationGraph(config, p, shape, options)
        : trainingGraph(config, p, shape, recipe.optimizer, options),
    );
  let trainingGraphs = graphsFor(c);
  const { updateRatioSteps = 0 } = options;
  const normGraphs = updateRatioSteps > 0 ? [updateNormGraph(trainable)] : [];
  const evaluationGraphs = shapes.map((shape) => evaluationGraph(plain, p, shape, options));
  const finishGraphs = accumulating ? [updateGraph(trainable, recipe.optimizer)] : [];
  // `accumulated` needs no check before a run: the first batch of an update clears it, and each batch checks
  // what it adds.
  const watches = new Map<Graph, FiniteReader>();
  const watch = (graphs: readonly Graph[]) => {
    if (options.checkFinite)
      for (const graph of graphs) watches.set(graph, addFiniteChecks(graph, ['accumulated']));
  };
  watch([...trainingGraphs, ...finishGraphs]);
  const graphs = [...trainingGraphs, ...evaluationGraphs, ...finishGraphs, ...normGraphs];
  // Two updates may be pending, and all their batches may have one shape.
  const inFlight = Math.max(3, 2 * recipe.gradientAccumulationSteps);
  let programs = await engine.prepare(graphs, { inFlight });
  writePositions(engine, c);
  const ready = (newGraphs: readonly Graph[], from: readonly Program[]) =>
    newGraphs.map((graph, i): Part => {
      const program = from[i] as Program;
      return {
        graph,
        program,
        writeStep: createStepWriter(program.inputs.step as Uint32Array),
        watch: watches.get(graph),
      };
    });
  const withBatch = (part: Part): BatchPart => ({ ...part, arrays: inputArrays(part.program) });
  const n = shapes.length;
  let training = ready(trainingGraphs, programs).map(withBatch);
  const [finish] = ready(finishGraphs, programs.slice(2 * n));
  const [norms] = ready(normGraphs, programs.slice(2 * n + finishGraphs.length));
  const scalars: StepScalars = { ...zeroStep, seed: recipe.seed >>> 0 };
  /** Measures an update; the state `previous` has the weights before it. */
  const measureRatio = async (): Promise<number> => {
    const { program, writeStep } = norms as Part;
    writeStep({ ...zeroStep, keep: -1 });
    return updateRatio(await program.run());
  };

  const trainer: Trainer = {
    parameters: p,
    trainable,
    recipe,
    shapes,
    step: 0,
    schedule: recipe.schedule,
    get programs() {
      return programs;
    },
    async setDropout(dropout) {
      // Rates are constants of the graph but params of its kernels, so nothing is compiled again.
      const before = trainingGraphs;
      const after = graphsFor({ ...c, dropout });
      watch(after);
      const kernelChoices = sameKernels(before, after, engine.kernelChoices);
      const prepared = await engine.prepare(after, { inFlight, kernelChoices });
      engine.release(programs.slice(0, n));
      trainingGraphs = after;
      programs = [...prepared, ...programs.slice(n)];
      training = ready(after, prepared).map(withBatch);
    },
    async update(batches) {
      const step = trainer.step++;
      const rate = learningRate(trainer.schedule, step);
      const measured = norms !== undefined && trainer.step % updateRatioSteps === 0;
      if (measured) engine.copy(trainable.state, 'previous');
      const tokens = batches.reduce((n, b) => n + b.tokens, 0);
      scalars.learningRate = rate;
      scalars.tokenWeight = 1 / Math.max(1, tokens);
      const parts = batches.map(({ shape }) => training[shape] as BatchPart);
      const run: Part[] = finish ? [...parts, finish] : parts;
      const updates = Promise.all(
        run.map(({ program, writeStep }, k) => {
          batches[k]?.fill((parts[k] as BatchPart).arrays);
          // Each batch has its own dropout masks: its number is part of the step that dropout reads.
          scalars.step = k < batches.length ? step * recipe.gradientAccumulationSteps + k : step;
          scalars.keep = k === 0 ? 0 : 1;
          writeStep(scalars);
          return program.run();
        }),
      );
      const [results, ratio] = await Promise.all([updates, measured ? measureRatio() : undefined]);
      const clip = results.at(-1)?.clip;
      const lossScale = clip?.[clipAt.lossScale] ?? 0;
      const skipped = clip?.[clipAt.finite] !== 1;
      for (const [k, { graph, watch: look }] of run.entries()) {
        const flags = results[k]?.[finiteOutput];
        const nonFinite = flags && look?.(flags);
        if (!nonFinite || (skipped && lossScale > lossScales.min && isScaled(graph, nonFinite))) continue;
        throw nonFiniteError(step, nonFinite, [trainable.parameters, p]);
      }
      const sum = (i: number) => results.reduce((n, r) => n + (r.stats?.[i] ?? 0), 0);
      return {
        step,
        loss: sum(0) / sum(1),
        accuracy: sum(2) / sum(1),
        tokens,
        learningRate: rate,
        gradientNorm: skipped ? Number.NaN : (clip?.[clipAt.norm] as number),
        skipped,
        lossScale,
        modelFlops: run.reduce((n, { program }) => n + (program.plan?.modelFlops ?? 0), 0),
        ...(ratio !== undefined && { updateRatio: ratio }),
      };
    },
    evaluate: async (batch, special) =>
      runEvaluation(programs[n + batch.shape] as Program, (arrays) => batch.fill(arrays), special),
  };
  return trainer;
}
