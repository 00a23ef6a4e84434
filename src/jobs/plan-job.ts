// heddle plan: the passes and the memory of a run, as text. Needs no GPU.

import { check, HeddleError } from '../core/errors.ts';
import { formatMiB } from '../core/format-numbers.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import type { Graph } from '../graph/graph.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import { type ModelOptions, modelConfig, type PresetName, presets } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { quantizedParameters, type WeightFormat } from '../model/quantized-parameters.ts';
import { defaultTraits } from '../ops/op.ts';
import { type Plan, printPlan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { Job } from '../runtime/job.ts';
import { openModel } from '../runtime/open-model.ts';
import { type OptimizerConfig, optimizerConfig } from '../trainer/optimizer-config.ts';
import { type Precision, scaling } from '../trainer/precision.ts';
import { evaluationGraph, trainingGraph } from '../trainer/training-graphs.ts';

/** Runs that can be planned. */
export const plannedRuns = ['training', 'evaluation', 'decoding'] as const;

/** What to plan; plain JSON. */
export interface PlanArguments {
  readonly run: (typeof plannedRuns)[number];
  /** Model folder whose configuration is planned, instead of `preset` and `vocab`. */
  readonly folder?: string;
  readonly preset: PresetName;
  /** Fields of the configuration to change. */
  readonly model: Partial<ModelOptions>;
  readonly vocab: number;
  readonly batch: number;
  /** Number of positions; 0: 32, or the model's maximum length if that is less. */
  readonly source: number;
  readonly target: number;
  readonly optimizer: Partial<OptimizerConfig>;
  readonly noFuse: readonly string[];
  /** For training; see GraphOptions. */
  readonly gradientCheckpointing: boolean;
  readonly precision: Precision;
  /** For training; see TrainableOptions. */
  readonly freeze?: readonly string[];
  /** Storage of the weights in evaluation and decoding; default f32. */
  readonly weights?: WeightFormat;
}

/**
 * The plan as text, for decoding two plans. Throws a HeddleError if the configuration is invalid or exceeds the limits
 * of WebGPU.
 */
export const plan: Job<PlanArguments, string> = async (args, context) => {
  const { preset, vocab, batch, noFuse, gradientCheckpointing, precision } = args;
  checkRewriteNames(noFuse);
  const base = args.folder
    ? (await openModel(args.folder, context, undefined, {}, true)).config
    : { srcVocab: vocab, tgtVocab: vocab, ...presets[preset] };
  const config = modelConfig({ ...base, ...args.model });
  const { freeze = [], weights = 'f32' } = args;
  check(
    weights === 'f32' || args.run !== 'training',
    `plan: weights as ${weights} cannot be trained; plan --run evaluation or decoding`,
  );
  const p = quantizedParameters(parameterList(config), weights);
  const longest = Math.min(32, config.maxLength);
  const { source, target } = { source: args.source || longest, target: args.target || longest };
  const shape = { batch, source, target };
  const optimizer = optimizerConfig({ ...scaling(precision), ...args.optimizer });
  const plain = () => trainingGraph(config, p, shape, optimizerConfig(args.optimizer), { noFuse, freeze });
  const graphs = (): [string, Graph][] => {
    const options = { noFuse, gradientCheckpointing, precision, freeze };
    if (args.run === 'training') return [['training', trainingGraph(config, p, shape, optimizer, options)]];
    if (args.run === 'evaluation') return [['evaluation', evaluationGraph(config, p, shape, { noFuse })]];
    return [
      ['decoding, once a batch of sources', sourceGraph(config, p, shape, noFuse)],
      ['decoding, once a token', stepGraph(config, p, shape, plainGreedy, noFuse)],
    ];
  };
  const traits = { ...defaultTraits, f16: precision === 'f16' };
  const saved = args.run === 'training' && (precision === 'f16' || gradientCheckpointing);
  const head = `${args.folder ?? preset}: ${p.count.toLocaleString('en')} parameters; ${batch} rows of ${source} source and ${target} target positions`;
  return graphs()
    .map(([name, graph]) => {
      const made = makePlan(graph, { traits });
      return `${head}\n${name}\n\n${printPlan(made)}${saved ? savingsOf(made, plain) : ''}`;
    })
    .join('\n');
};

/** Compares a plan with the one in f32 without gradient checkpointing; empty if that one exceeds the limits. */
function savingsOf({ bytes }: Plan, graph: () => Graph): string {
  const share = (n: number, of: number) => `${((100 * n) / of).toFixed(1)} %`;
  try {
    const { slots, peak } = makePlan(graph()).bytes;
    return (
      `without f16 and gradient checkpointing: activations ${formatMiB(slots)} (this plan: ${share(bytes.slots, slots)}), ` +
      `peak ${formatMiB(peak)} (this plan: ${share(bytes.peak, peak)})\n`
    );
  } catch (error) {
    if (error instanceof HeddleError) return '';
    throw error;
  }
}
