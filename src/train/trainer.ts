// The trainer: plans for every batch shape, and one call a step that uploads a batch, submits once and reads the loss late. It owns
// no data and no loop; src/jobs/train.ts drives it.

import type { Engine, Program } from '../engine.ts';
import type { Graph } from '../graph/graph.ts';
import { type Watch, watch, watchOutput } from '../graph/watch.ts';
import { adapterParameters, initialAdapter, type LoraConfig } from '../model/adapter.ts';
import type { ModelConfig } from '../model/config.ts';
import { type InitScheme, initialWeights, type ParameterList, parameterList } from '../model/parameters.ts';
import { clipAt, counterAt, lossScales } from '../ops/clip.ts';
import { createStepWriter, type StepScalars, zeroStep } from '../ops/step.ts';
import type { BatchArrays } from '../text/batches.ts';
import type { BatchShape } from '../text/buckets.ts';
import { accumulatingGraph, evaluationGraph, type GraphOptions, trainingGraph, updateGraph } from './graphs.ts';
import { isScaled, nonFiniteError } from './non-finite.ts';
import type { OptimizerConfig } from './optimizer.ts';
import { learningRate, type ScheduleConfig } from './schedule.ts';
import { type Tuned, tunedOf } from './tuned.ts';
import { writePositions } from './weights.ts';

/** Everything that decides a training beside the data. */
export interface Recipe {
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  /** Decides initial weights, order of the data and dropout. */
  readonly seed: number;
  readonly init: InitScheme;
  /** Micro-batches an update. */
  readonly accumulate: number;
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

/** Sums of an evaluation. */
export interface EvaluationSums {
  readonly loss: number;
  readonly tokens: number;
  readonly hits: number;
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
  readonly tuned: Tuned;
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
  evaluate(batch: Batch): Promise<EvaluationSums>;
  /** Programs by shape, for reports: bytes, dispatches. */
  readonly programs: readonly Program[];
}

/**
 * Fills the states of a model anew: weights from the recipe's seed unless given, those of the adapter where there is one, and the moving
 * average of what is trained and the loss scale where the optimizer keeps them; moments and counters are zero on a new engine.
 */
export function startWeights(
  engine: Engine,
  c: ModelConfig,
  recipe: Pick<Recipe, 'seed' | 'init'> & { readonly optimizer?: OptimizerConfig },
  { weights, lora }: { readonly weights?: Float32Array; readonly lora?: LoraConfig | undefined } = {},
): void {
  let trained = weights ?? initialWeights(c, parameterList(c), recipe.seed, recipe.init);
  engine.write('weights', trained);
  if (lora) {
    trained = initialAdapter(c, adapterParameters(c, lora), recipe.seed);
    engine.write('adapter', trained);
  }
  const { emaDecay = 0, lossScaleGrowth = 0 } = recipe.optimizer ?? {};
  if (emaDecay > 0) engine.write('average', trained);
  if (lossScaleGrowth > 0) engine.write('counters', Float32Array.of(lossScales.first), counterAt.lossScale);
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
  const accumulating = recipe.accumulate > 1;
  const stepGraphs = shapes.map((shape) =>
    accumulating ? accumulatingGraph(c, p, shape, options) : trainingGraph(c, p, shape, recipe.optimizer, options),
  );
  const plain = { ...c, labelSmoothing: 0 };
  const graphs: Graph[] = [...stepGraphs, ...shapes.map((shape) => evaluationGraph(plain, p, shape, options))];
  const tuned = tunedOf(c, p, options);
  if (accumulating) graphs.push(updateGraph(tuned, recipe.optimizer));
  const watches = new Map<Graph, Watch>();
  if (options.checkFinite)
    for (const graph of [...stepGraphs, ...graphs.slice(2 * shapes.length)]) watches.set(graph, watch(graph));
  // Two updates may be pending, and all micro-batches of both may have one shape.
  const programs = await engine.prepare(graphs, { inFlight: Math.max(3, 2 * recipe.accumulate) });
  const training = programs.slice(0, shapes.length);
  const evaluation = programs.slice(shapes.length, 2 * shapes.length);
  const finish = programs[2 * shapes.length];
  writePositions(engine, c);
  const writers = new Map(programs.map((program) => [program, createStepWriter(program.inputs.step as Uint32Array)]));
  const scalars: StepScalars = { ...zeroStep, seed: recipe.seed >>> 0 };
  const start = (program: Program, values: Partial<StepScalars>) =>
    writers.get(program)?.(Object.assign(scalars, values));

  const load = (program: Program, batch: Batch) => batch.fill(program.inputs as unknown as BatchArrays);

  const trainer: Trainer = {
    config: c,
    parameters: p,
    tuned,
    recipe,
    shapes,
    step: 0,
    programs,
    async update(batches) {
      const step = trainer.step++;
      const rate = learningRate(recipe.schedule, step);
      const tokens = batches.reduce((n, b) => n + b.tokens, 0);
      const runs = batches.map((batch, k) => {
        const program = training[batch.shape] as Program;
        load(program, batch);
        // Every micro-batch draws its own masks: its number counts in the step that dropout sees.
        start(program, {
          learningRate: rate,
          tokenWeight: 1 / Math.max(1, tokens),
          step: step * recipe.accumulate + k,
          keep: k === 0 ? 0 : 1,
        });
        return program.run();
      });
      if (finish) {
        start(finish, { learningRate: rate, step });
        runs.push(finish.run());
      }
      const results = await Promise.all(runs);
      const clip = results[results.length - 1]?.clip;
      const lossScale = clip?.[clipAt.lossScale] ?? 0;
      const skipped = clip?.[clipAt.finite] !== 1;
      for (const [k, { [watchOutput]: flags }] of results.entries()) {
        const graph = graphs[batches[k]?.shape ?? 2 * shapes.length] as Graph;
        const found = flags && watches.get(graph)?.(flags);
        if (!found || (skipped && lossScale > lossScales.least && isScaled(graph, found))) continue;
        throw nonFiniteError(step, found, [tuned.parameters, p]);
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
      const program = evaluation[batch.shape] as Program;
      load(program, batch);
      start(program, { tokenWeight: 0, step: 0, keep: 0 });
      const { stats } = await program.run();
      return { loss: stats?.[0] ?? Number.NaN, tokens: stats?.[1] ?? 0, hits: stats?.[2] ?? 0 };
    },
  };
  return trainer;
}
