// The trainer: one update of a model. It has plans for every batch shape, and one call per update that uploads
// a batch, submits once and reads the loss later. Data and loop are separate; see src/train/run/loop.ts.

import { present } from '../../core/present.ts';
import { type Engine, type Program, prepareByName } from '../../engine/engine.ts';
import type { Outputs } from '../../engine/gpu/output-ring.ts';
import { finiteOutput } from '../../engine/graph/finite-checks.ts';
import type { DeviceTraits } from '../../engine/ops/device-traits.ts';
import { clipAt, lossScales } from '../../engine/ops/optimizer/clip.ts';
import { createStepWriter, type StepScalars, zeroStep } from '../../engine/ops/step-scalars.ts';
import { sameKernels } from '../../engine/plan/kernel-choices.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import type { DropoutRates } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Batch } from '../../text/batches/batch-source.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import type { TokenSums } from '../../text/metrics/translation-metrics.ts';
import type { SpecialIds } from '../../text/tokenizers/tokenizer.ts';
import { isScaled, nonFiniteError } from './non-finite.ts';
import { runEvaluation } from './run-evaluation.ts';
import { learningRate, type ScheduleConfig } from './schedule.ts';
import { parametersIn, type TrainableParameters } from './trainable-parameters.ts';
import {
  type CheckedGraph,
  type EvaluationPrograms,
  type ModelToTrain,
  TrainerGraphs,
  type TrainerOptions,
  type TrainerPlans,
  type UpdateConfig,
} from './trainer-graphs.ts';
import { type InputArrays, inputArrays, updateRatio } from './training-graphs.ts';

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
  /** Mean of each part of the loss per target token, times its weight, by name. Absent without parts. */
  readonly lossParts?: Readonly<Record<string, number>>;
}

/** A part of an update: a prepared graph and the writer of its step scalars. */
interface Part extends CheckedGraph {
  readonly program: Program;
  readonly writeStep: (scalars: StepScalars) => void;
}

/** A part that reads a batch from these arrays. */
interface BatchPart extends Part {
  readonly arrays: InputArrays;
}

/** Trains one model on one engine. */
export class Trainer {
  /** Number of the next update. Set it to resume from a checkpoint. */
  step = 0;
  /** Schedule of the learning rate from the next update on: at first that of `update`. */
  schedule: ScheduleConfig;

  readonly #engine: Engine;
  readonly #graphs: TrainerGraphs;
  /** Forward and backward pass, and without accumulation the update, for each shape. */
  #training: readonly BatchPart[] = [];
  /** The update after the last batch, with gradient accumulation. */
  #finish: Part | undefined;
  /** The model in evaluation, for each shape. */
  #evaluation: readonly Program[] = [];
  /** Norms of the last update and of the weights, if the option measures them. */
  #norms: Program | undefined;
  /** The scalars of the next run: one record for all of them. */
  readonly #scalars: StepScalars;

  private constructor(engine: Engine, graphs: TrainerGraphs) {
    this.schedule = graphs.update.schedule;
    this.#engine = engine;
    this.#graphs = graphs;
    this.#scalars = { ...zeroStep, seed: graphs.update.seed >>> 0 };
  }

  /**
   * Creates a trainer with plans for training and evaluation in every shape. It trains the weights on the
   * engine, which also has the fixed positions; see `initializeTraining`.
   */
  static async open(
    engine: Engine,
    model: ModelToTrain,
    recipe: UpdateConfig,
    shapes: readonly BatchShape[],
    options: TrainerOptions = {},
  ): Promise<Trainer> {
    const trainer = new Trainer(engine, new TrainerGraphs(model, recipe, shapes, options));
    await trainer.#prepare();
    return trainer;
  }

  /** The programs of a trainer for a device, without one: what it needs of memory. See `TrainerGraphs.plan`. */
  static plan(
    model: ModelToTrain,
    recipe: UpdateConfig,
    shapes: readonly BatchShape[],
    options: TrainerOptions,
    {
      traits,
      evaluations,
      signal,
    }: {
      readonly traits: DeviceTraits;
      readonly evaluations?: EvaluationPrograms;
      readonly signal?: AbortSignal;
    },
  ): Promise<TrainerPlans> {
    return new TrainerGraphs(model, recipe, shapes, options).plan(traits, evaluations, signal);
  }

  /**
   * All weights, with their storage and the LoRA adapter if there is one: graphs for inference take this list
   * too.
   */
  get parameters(): ParameterList {
    return this.#graphs.parameters;
  }

  /** The parameters that are trained. */
  get trainable(): TrainableParameters {
    return this.#graphs.trainable;
  }

  get recipe(): UpdateConfig {
    return this.#graphs.update;
  }

  get shapes(): readonly BatchShape[] {
    return this.#graphs.shapes;
  }

  async #prepare(): Promise<void> {
    const training = this.#graphs.training();
    const finish = this.#graphs.finish();
    const programs = await prepareByName(
      this.#engine,
      {
        training: training.map(({ graph }) => graph),
        evaluation: this.shapes.map((shape) => this.#graphs.evaluation(shape)),
        finish: present([finish?.graph]),
        norms: present([this.#graphs.norms()]),
      },
      { inFlight: this.#graphs.inFlight },
    );
    this.#training = batchParts(training, programs.training);
    this.#evaluation = programs.evaluation;
    this.#finish = finish && partOf(finish, programs.finish[0] as Program);
    this.#norms = programs.norms[0];
  }

  /**
   * Prepares the evaluation of batches of a further shape; its index is the number of shapes before it. No update
   * may be pending.
   */
  async addEvaluation(shape: BatchShape): Promise<void> {
    const graph = this.#graphs.evaluation(shape);
    const { inFlight } = this.#graphs;
    this.#evaluation = [...this.#evaluation, ...(await this.#engine.prepare([graph], { inFlight }))];
  }

  /** Plans of the training programs, by shape; empty on the CPU. */
  get trainingPlans(): Plan[] {
    return plansOf(this.#training.map(({ program }) => program));
  }

  /** Plans of all programs, those of training first; empty on the CPU. */
  get plans(): Plan[] {
    const others = [...this.#evaluation, this.#finish?.program, this.#norms];
    return [...this.trainingPlans, ...plansOf(others)];
  }

  /** Changes the dropout rates from the next update on. No update may be pending. */
  async setDropout(dropout: DropoutRates): Promise<void> {
    // Rates are constants of the graph but params of its kernels, so nothing is compiled again.
    const before = this.#training;
    const after = this.#graphs.training({ ...this.#graphs.config, dropout });
    const graphs = after.map(({ graph }) => graph);
    const kernelChoices = sameKernels(
      before.map(({ graph }) => graph),
      graphs,
      this.#engine.kernelChoices,
    );
    const programs = await this.#engine.prepare(graphs, { inFlight: this.#graphs.inFlight, kernelChoices });
    this.#engine.release(before.map(({ program }) => program));
    this.#training = batchParts(after, programs);
  }

  /**
   * Does one update on `gradientAccumulationSteps` batches (or fewer at the end of the data): uploads,
   * submits and returns at once. Resolves when the loss has come back. At most two updates may be pending.
   */
  async update(batches: readonly Batch[]): Promise<StepReport> {
    const step = this.step++;
    const norms = this.step % (this.#graphs.options.updateRatioSteps ?? 1) === 0 ? this.#norms : undefined;
    if (norms) this.#engine.copy(this.trainable.state, 'previous');
    const rate = learningRate(this.schedule, step);
    const tokens = batches.reduce((n, b) => n + b.tokens, 0);
    this.#scalars.learningRate = rate;
    this.#scalars.tokenWeight = 1 / Math.max(1, tokens);
    const parts: Part[] = [];
    const runs: Promise<Outputs>[] = [];
    for (const [k, batch] of batches.entries()) {
      const part = this.#training[batch.shape] as BatchPart;
      batch.fill(part.arrays);
      this.#scalars.keep = k === 0 ? 0 : 1;
      parts.push(part);
      // Each batch has its own dropout masks: its number is part of the step that dropout reads.
      runs.push(this.#run(part, step * this.recipe.gradientAccumulationSteps + k));
    }
    if (this.#finish) {
      parts.push(this.#finish);
      runs.push(this.#run(this.#finish, step));
    }
    const [results, squares] = await Promise.all([Promise.all(runs), norms?.run()]);
    const clip = results.at(-1)?.clip;
    const lossScale = clip?.[clipAt.lossScale] ?? 0;
    const skipped = clip?.[clipAt.finite] !== 1;
    this.#checkFinite(step, parts, results, skipped && lossScale > lossScales.min);
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
      modelFlops: parts.reduce((n, { program }) => n + (program.plan?.modelFlops ?? 0), 0),
      updateRatio: squares && updateRatio(squares),
      lossParts: this.#lossParts(results, sum(1)),
    };
  }

  /** The parts of the loss per target token; undefined without parts. */
  #lossParts(results: readonly Outputs[], tokens: number): StepReport['lossParts'] {
    const { lossParts = [] } = this.#graphs.options;
    if (lossParts.length === 0) return undefined;
    return Object.fromEntries(
      lossParts.map(({ name }) => [name, results.reduce((n, r) => n + (r[name]?.[0] ?? 0), 0) / tokens]),
    );
  }

  /** Submits a part of an update; `step` is the number that dropout reads. */
  #run({ program, writeStep }: Part, step: number): Promise<Outputs> {
    this.#scalars.step = step;
    writeStep(this.#scalars);
    return program.run();
  }

  /**
   * Throws the error of the first number that is not finite, with `checkFinite`. `scaleHalves`: the update was
   * skipped and the loss scale halves, which may be enough for the numbers after the scaled loss.
   */
  #checkFinite(
    step: number,
    parts: readonly Part[],
    results: readonly Outputs[],
    scaleHalves: boolean,
  ): void {
    for (const [k, { graph, findNonFinite }] of parts.entries()) {
      const flags = results[k]?.[finiteOutput];
      const found = flags && findNonFinite?.(flags);
      if (!found || (scaleHalves && isScaled(graph, found))) continue;
      throw nonFiniteError(step, found, (buffer) => parametersIn(buffer, this.trainable, this.parameters));
    }
  }

  /** Evaluates a batch: no dropout, no label smoothing, no update. `special`: see `runEvaluation`. */
  async evaluate(batch: Batch, special?: Pick<SpecialIds, 'unknown' | 'pad'>): Promise<TokenSums> {
    const program = this.#evaluation[batch.shape] as Program;
    return runEvaluation(program, (arrays) => batch.fill(arrays), special);
  }
}

const partOf = (checked: CheckedGraph, program: Program): Part => ({
  ...checked,
  program,
  writeStep: createStepWriter(program.inputs.step as Uint32Array),
});

const batchParts = (graphs: readonly CheckedGraph[], programs: readonly Program[]): BatchPart[] =>
  graphs.map((checked, shape) => {
    const program = programs[shape] as Program;
    return { ...partOf(checked, program), arrays: inputArrays(program) };
  });

/** The plans of programs; programs on the CPU have none. */
const plansOf = (programs: readonly (Program | undefined)[]): Plan[] =>
  programs.flatMap((program) => program?.plan ?? []);
