// The graphs of a trainer: forward and backward pass, update, evaluation. The trainer prepares them on an engine; a
// forecast plans them without one, so that both need the same memory.

import { present } from '../../core/present.ts';
import { addFiniteChecks, type FiniteReader } from '../../engine/graph/finite-checks.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type { DeviceTraits } from '../../engine/ops/device-traits.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import { makePlan } from '../../engine/plan/planner.ts';
import type { InitScheme } from '../../model/initialize-weights.ts';
import { adaptedParameters } from '../../model/lora.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import type { OptimizerConfig } from './optimizer-config.ts';
import type { ScheduleConfig } from './schedule.ts';
import { type TrainableParameters, trainableParameters } from './trainable-parameters.ts';
import {
  evaluationGraph,
  type GraphOptions,
  gradientAccumulationGraph,
  trainingGraph,
  updateGraph,
  updateNormGraph,
} from './training-graphs.ts';

/** Configuration of the updates. */
export interface UpdateConfig {
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  /** Seed of the initial weights, data order and dropout. */
  readonly seed: number;
  readonly init: InitScheme;
  /** Batches per update (gradient accumulation). */
  readonly gradientAccumulationSteps: number;
}

/** Options of a trainer. */
export interface TrainerOptions extends GraphOptions {
  /** Check every tensor of every step: an update rejects at the first NaN or infinity, with its origin. */
  readonly checkFinite?: boolean;
  /** Measure the norm of the update over that of the weights every N updates; 0: never. [0] */
  readonly updateRatioSteps?: number;
}

/** The model that a trainer trains. */
export interface ModelToTrain {
  readonly config: ModelConfig;
  /** Its parameters. Under a LoRA adapter its weights may be quantized; see `storedParameters`. */
  readonly parameters: ParameterList;
}

/** A graph, and the reader of its checks for numbers that are not finite, if it has them. */
export interface CheckedGraph {
  readonly graph: Graph;
  readonly findNonFinite: FiniteReader | undefined;
}

/** The plans of all programs of a trainer. */
export interface TrainerPlans {
  /** Forward and backward pass, and without accumulation the update, for each shape. */
  readonly training: readonly Plan[];
  /** Evaluation for each shape, the update after accumulation, norms. */
  readonly others: readonly Plan[];
  /** Maximum number of pending runs of a program. */
  readonly inFlight: number;
  /** The evaluations during the run, each prepared by itself after the programs above; undefined without any. */
  readonly dev: readonly (readonly Plan[])[] | undefined;
  /** The decoder of test pairs, prepared after the last update. */
  readonly test: readonly Plan[];
}

/** What a run prepares on the engine of its trainer to evaluate. */
export interface EvaluationPrograms {
  /** The evaluations during the run: shape of a further one (`Trainer.addEvaluation`), and graphs of the decoder. */
  readonly dev?: { readonly longer: BatchShape | undefined; readonly decoder: readonly Graph[] };
  /** Graphs of the decoder of test pairs. */
  readonly test?: readonly Graph[];
}

/** The graphs of a trainer. */
export class TrainerGraphs {
  /** All weights, with their storage and the LoRA adapter if there is one. */
  readonly parameters: ParameterList;
  /** The parameters that are trained. */
  readonly trainable: TrainableParameters;
  readonly config: ModelConfig;
  readonly update: UpdateConfig;
  readonly shapes: readonly BatchShape[];
  readonly options: TrainerOptions;

  constructor(
    { config, parameters }: ModelToTrain,
    update: UpdateConfig,
    shapes: readonly BatchShape[],
    options: TrainerOptions,
  ) {
    this.parameters = adaptedParameters(parameters, options.lora);
    this.trainable = trainableParameters(config, this.parameters, options);
    this.config = config;
    this.update = update;
    this.shapes = shapes;
    this.options = options;
  }

  /** Maximum number of pending runs: two updates may be pending, and all their batches may have one shape. */
  get inFlight(): number {
    return Math.max(3, 2 * this.update.gradientAccumulationSteps);
  }

  get #accumulates(): boolean {
    return this.update.gradientAccumulationSteps > 1;
  }

  /** Training in every shape. `config`: with the dropout rates of the next updates. */
  training(config = this.config): CheckedGraph[] {
    const { parameters, update, options } = this;
    return this.shapes.map((shape) =>
      this.#checked(
        this.#accumulates
          ? gradientAccumulationGraph(config, parameters, shape, options)
          : trainingGraph(config, parameters, shape, update.optimizer, options),
      ),
    );
  }

  /** The update after the last batch, with gradient accumulation. */
  finish(): CheckedGraph | undefined {
    return this.#accumulates ? this.#checked(updateGraph(this.trainable, this.update.optimizer)) : undefined;
  }

  /** Evaluation of batches of a shape. */
  evaluation(shape: BatchShape): Graph {
    return evaluationGraph({ ...this.config, labelSmoothing: 0 }, this.parameters, shape, this.options);
  }

  /** Norms of the last update and of the weights, if the options measure them. */
  norms(): Graph | undefined {
    return this.options.updateRatioSteps ? updateNormGraph(this.trainable) : undefined;
  }

  /**
   * Plans all programs for a device, without one, and those of evaluations; waits between plans, so that a signal can end
   * it. Throws a HeddleError if a graph exceeds the limits of the device.
   */
  async plan(
    traits: DeviceTraits,
    { dev, test = [] }: EvaluationPrograms = {},
    signal?: AbortSignal,
  ): Promise<TrainerPlans> {
    const planAll = async (graphs: readonly Graph[]): Promise<Plan[]> => {
      const plans: Plan[] = [];
      for (const graph of graphs) {
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
        plans.push(makePlan(graph, { traits }));
      }
      return plans;
    };
    const evaluation = this.shapes.map((shape) => this.evaluation(shape));
    const longer = dev?.longer ? [this.evaluation(dev.longer)] : [];
    return {
      training: await planAll(this.training().map(({ graph }) => graph)),
      others: await planAll(present([...evaluation, this.finish()?.graph, this.norms()])),
      inFlight: this.inFlight,
      dev: dev && [await planAll(longer), await planAll(dev.decoder)],
      test: await planAll(test),
    };
  }

  /** Adds the checks of the option `checkFinite` to a graph. */
  #checked(graph: Graph): CheckedGraph {
    if (!this.options.checkFinite) return { graph, findNonFinite: undefined };
    // `accumulated` needs no check before a run: the first batch of an update clears it, and each batch checks
    // what it adds.
    return { graph, findNonFinite: addFiniteChecks(graph, ['accumulated']) };
  }
}
