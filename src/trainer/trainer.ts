// The trainer: plans for every batch shape, and one call a step that uploads a batch, submits once and reads the loss late. It owns
// no data and no loop; src/jobs/train.ts drives it.

import type { Engine, Program } from '../engine/engine.ts';
import { writePositions } from '../engine/model-states.ts';
import { addFiniteChecks, type FiniteReader, finiteOutput } from '../graph/finite-checks.ts';
import type { Graph } from '../graph/graph.ts';
import type { TokenSums } from '../metrics/translation-metrics.ts';
import { initializeLora, type LoraConfig, loraParameters } from '../model/lora.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { type InitScheme, initializeWeights, parameterList } from '../model/parameters.ts';
import { clipAt, counterAt, lossScales } from '../ops/optimizer/clip.ts';
import { createStepWriter, type StepScalars, writeStep, zeroStep } from '../ops/step-scalars.ts';
import type { BatchArrays } from '../text/batches/batches.ts';
import type { BatchShape } from '../text/batches/buckets.ts';
import { isScaled, nonFiniteError } from './non-finite.ts';
import type { OptimizerConfig } from './optimizer-config.ts';
import { type InputArrays, inputArrays } from './program-inputs.ts';
import { learningRate, type ScheduleConfig } from './schedule.ts';
import { type TrainableParameters, trainableParameters } from './trainable-parameters.ts';
import {
  evaluationGraph,
  type GraphOptions,
  gradientAccumulationGraph,
  trainingGraph,
  updateGraph,
} from './training-graphs.ts';

/** Everything that decides a training beside the data. */
export interface Recipe {
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  /** Decides initial weights, order of the data and dropout. */
  readonly seed: number;
  readonly init: InitScheme;
  /** Micro-batches an update. */
  readonly gradientAccumulationSteps: number;
}

/** A batch: one of the trainer's shapes, how many target tokens count, and a function that writes it. */
export interface Batch {
  /** Number of its shape in the list that the trainer was made with. */
  readonly shape: number;
  /** Target tokens that are not padding. */
  readonly tokens: number;
  fill(arrays: BatchArrays): unknown;
}

/** How a step went. */
export interface StepReport {
  /** Number of the update, from 0. */
  readonly step: number;
  /** Mean loss of a target token, label smoothing included. */
  readonly loss: number;
  /** Share of target tokens that the model would have guessed. */
  readonly accuracy: number;
  readonly tokens: number;
  readonly learningRate: number;
  /** Global norm of the gradients before clipping; NaN where the step was skipped. */
  readonly gradientNorm: number;
  /** Whether the update was left out since something was not finite. */
  readonly skipped: boolean;
  /** What the loss was multiplied by for its gradients, 0: by nothing. */
  readonly lossScale: number;
}

/** Settings of a trainer beside its recipe. */
export interface TrainerOptions extends GraphOptions {
  /** Look at every tensor of every step: an update rejects at the first number that is not finite, and says where it came from. */
  readonly checkFinite?: boolean;
}

/** Trains one model on one engine. */
export interface Trainer {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  /** What of them it changes. */
  readonly trainable: TrainableParameters;
  readonly recipe: Recipe;
  readonly shapes: readonly BatchShape[];
  /** Number of the next update. Set it to go on from a checkpoint. */
  step: number;
  /**
   * One update on micro-batches (as many as the recipe accumulates, or fewer at the end of the data): uploads, submits, returns at
   * once. Resolves when the loss has come back. At most two may be pending.
   */
  update(batches: readonly Batch[]): Promise<StepReport>;
  /** Loss and hits of a batch in evaluation: no dropout, no label smoothing, no update. */
  evaluate(batch: Batch): Promise<TokenSums>;
  /** Programs by shape, for reports: bytes, dispatches. */
  readonly programs: readonly Program[];
}

/**
 * Fills the states of a model anew: weights from the recipe's seed unless given, those of the adapter where there is one, and the moving
 * average of what is trained and the loss scale where the optimizer keeps them; moments and counters are zero on a new engine.
 */
export function initializeTraining(
  engine: Engine,
  c: ModelConfig,
  recipe: Pick<Recipe, 'seed' | 'init'> & { readonly optimizer?: OptimizerConfig },
  { weights, lora }: { readonly weights?: Float32Array; readonly lora?: LoraConfig | undefined } = {},
): void {
  let trained = weights ?? initializeWeights(c, parameterList(c), recipe.seed, recipe.init);
  engine.write('weights', trained);
  if (lora) {
    trained = initializeLora(c, loraParameters(c, lora), recipe.seed);
    engine.write('lora', trained);
  }
  const { emaDecay = 0, lossScaleGrowth = 0 } = recipe.optimizer ?? {};
  if (emaDecay > 0) engine.write('average', trained);
  if (lossScaleGrowth > 0) engine.write('counters', Float32Array.of(lossScales.first), counterAt.lossScale);
}

/** A graph made ready: its program, the writer of its scalars, and what finds a number that is not finite, where that is looked for. */
interface Part {
  readonly graph: Graph;
  readonly program: Program;
  readonly writeStep: (scalars: StepScalars) => void;
  readonly watch: FiniteReader | undefined;
}

/** One that reads a batch, from these arrays. */
interface BatchPart extends Part {
  readonly arrays: InputArrays;
}

/** Runs a program of `evaluationGraph` on the batch that `fill` writes; returns the sums over its target tokens. */
export async function runEvaluation(program: Program, fill: (arrays: BatchArrays) => unknown): Promise<TokenSums> {
  const arrays = inputArrays(program);
  fill(arrays);
  writeStep(arrays.step);
  const { stats } = await program.run();
  return { loss: stats?.[0] ?? Number.NaN, tokens: stats?.[1] ?? 0, hits: stats?.[2] ?? 0 };
}

/** Makes a trainer: plans for training and evaluation in every shape. Weights are those on the engine; see `startWeights`. */
export async function createTrainer(
  engine: Engine,
  c: ModelConfig,
  recipe: Recipe,
  shapes: readonly BatchShape[],
  options: TrainerOptions = {},
): Promise<Trainer> {
  const p = parameterList(c);
  const accumulating = recipe.gradientAccumulationSteps > 1;
  const plain = { ...c, labelSmoothing: 0 };
  const trainable = trainableParameters(c, p, options);
  const trainingGraphs = shapes.map((shape) =>
    accumulating
      ? gradientAccumulationGraph(c, p, shape, options)
      : trainingGraph(c, p, shape, recipe.optimizer, options),
  );
  const evaluationGraphs = shapes.map((shape) => evaluationGraph(plain, p, shape, options));
  const finishGraphs = accumulating ? [updateGraph(trainable, recipe.optimizer)] : [];
  // The first micro-batch of an update forgets what was accumulated, and what each of them adds has been looked at before the update.
  const watched = options.checkFinite ? [...trainingGraphs, ...finishGraphs] : [];
  const watches = new Map(watched.map((graph) => [graph, addFiniteChecks(graph, ['accumulated'])]));
  const graphs = [...trainingGraphs, ...evaluationGraphs, ...finishGraphs];
  // Two updates may be pending, and all micro-batches of both may have one shape.
  const programs = await engine.prepare(graphs, { inFlight: Math.max(3, 2 * recipe.gradientAccumulationSteps) });
  writePositions(engine, c);
  const left = [...programs];
  const ready = (some: readonly Graph[]) =>
    some.map((graph): Part => {
      const program = left.shift() as Program;
      return {
        graph,
        program,
        writeStep: createStepWriter(program.inputs.step as Uint32Array),
        watch: watches.get(graph),
      };
    });
  const withBatch = (part: Part): BatchPart => ({ ...part, arrays: inputArrays(part.program) });
  const training = ready(trainingGraphs).map(withBatch);
  const evaluation = ready(evaluationGraphs).map(withBatch);
  const [finish] = ready(finishGraphs);
  const scalars: StepScalars = { ...zeroStep, seed: recipe.seed >>> 0 };

  const trainer: Trainer = {
    config: c,
    parameters: p,
    trainable,
    recipe,
    shapes,
    step: 0,
    programs,
    async update(batches) {
      const step = trainer.step++;
      const rate = learningRate(recipe.schedule, step);
      const tokens = batches.reduce((n, b) => n + b.tokens, 0);
      scalars.learningRate = rate;
      scalars.tokenWeight = 1 / Math.max(1, tokens);
      const parts = batches.map(({ shape }) => training[shape] as BatchPart);
      const run: Part[] = finish ? [...parts, finish] : parts;
      const results = await Promise.all(
        run.map(({ program, writeStep }, k) => {
          batches[k]?.fill((parts[k] as BatchPart).arrays);
          // Every micro-batch draws its own masks: its number counts in the step that dropout sees.
          scalars.step = k < batches.length ? step * recipe.gradientAccumulationSteps + k : step;
          scalars.keep = k === 0 ? 0 : 1;
          writeStep(scalars);
          return program.run();
        }),
      );
      const clip = results.at(-1)?.clip;
      const lossScale = clip?.[clipAt.lossScale] ?? 0;
      const skipped = clip?.[clipAt.finite] !== 1;
      for (const [k, { graph, watch: look }] of run.entries()) {
        const flags = results[k]?.[finiteOutput];
        const found = flags && look?.(flags);
        if (!found || (skipped && lossScale > lossScales.min && isScaled(graph, found))) continue;
        throw nonFiniteError(step, found, [trainable.parameters, p]);
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
      };
    },
    async evaluate(batch) {
      return runEvaluation((evaluation[batch.shape] as BatchPart).program, (arrays) => batch.fill(arrays));
    },
  };
  return trainer;
}
