// heddle plan: what a run of a model would do, pass by pass, and what it would take. Needs no GPU.

import { sourceGraph, stepGraph } from '../decode/graphs.ts';
import { check } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import { type ModelOptions, modelConfig, type PresetName, presets } from '../model/config.ts';
import { packedParameters, type WeightFormat } from '../model/packed.ts';
import { parameterList } from '../model/parameters.ts';
import { defaultTraits } from '../ops/op.ts';
import { printPlan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import { evaluationGraph, trainingGraph } from '../train/graphs.ts';
import { type OptimizerConfig, optimizerConfig } from '../train/optimizer.ts';
import { type Precision, scaling } from '../train/precision.ts';
import type { Job } from './job.ts';
import { openModel } from './open-model.ts';

/** The runs that can be planned. */
export const plannedRuns = ['training', 'evaluation', 'decoding'] as const;

/** What to plan; plain JSON. */
export interface PlanArguments {
  readonly run: (typeof plannedRuns)[number];
  /** Model folder whose configuration is planned, instead of `preset` and `vocab`. */
  readonly folder?: string;
  readonly preset: PresetName;
  /** Fields that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  readonly vocab: number;
  readonly batch: number;
  /** Positions; 0: 32, or the longest that the model takes. */
  readonly source: number;
  readonly target: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly noFuse: readonly string[];
  /** Training: as in GraphOptions. */
  readonly checkpointLayers: boolean;
  readonly precision: Precision;
  /** Training: as in TuningOptions. */
  readonly freeze?: readonly string[];
  /** Evaluation and decoding: how the weights are kept; f32 unless given. */
  readonly weights?: WeightFormat;
}

/** The plan, or for decoding the two plans, as text. Throws a HeddleError where the model is not sound or passes WebGPU's limits. */
export const plan: Job<PlanArguments, string> = async (args, context) => {
  const { preset, vocab, batch, noFuse, checkpointLayers, precision } = args;
  checkRewriteNames(noFuse);
  const base = args.folder
    ? (await openModel(args.folder, context)).config
    : { srcVocab: vocab, tgtVocab: vocab, ...presets[preset] };
  const config = modelConfig({ ...base, ...args.model });
  const { freeze = [], weights = 'f32' } = args;
  check(
    weights === 'f32' || args.run !== 'training',
    `plan: weights as ${weights} cannot be trained; plan --run evaluation or decoding`,
  );
  const p = packedParameters(parameterList(config), weights);
  const longest = Math.min(32, config.maxLength);
  const { source, target } = { source: args.source || longest, target: args.target || longest };
  const shape = { batch, source, target };
  const graphs = (): [string, Graph][] => {
    const options = { noFuse, checkpointLayers, precision, freeze };
    const optimizer = optimizerConfig({ ...scaling(precision), ...args.optimizer });
    if (args.run === 'training') return [['training', trainingGraph(config, p, shape, optimizer, options)]];
    if (args.run === 'evaluation') return [['evaluation', evaluationGraph(config, p, shape, { noFuse })]];
    return [
      ['decoding, once a batch of sources', sourceGraph(config, p, shape)],
      ['decoding, once a token', stepGraph(config, p, shape)],
    ];
  };
  const traits = { ...defaultTraits, f16: precision === 'f16' };
  const head = `${args.folder ?? preset}: ${p.count.toLocaleString('en')} parameters; ${batch} rows of ${source} source and ${target} target positions`;
  return graphs()
    .map(([name, graph]) => `${head}\n${name}\n\n${printPlan(makePlan(graph, { traits }))}`)
    .join('\n');
};
