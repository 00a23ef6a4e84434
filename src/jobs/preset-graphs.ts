// Graphs of a preset, for commands that need kernels but no corpus.

import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import type { Graph } from '../graph/graph.ts';
import { checkRewriteNames } from '../graph/rewrites.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { type PresetName, presets } from '../model/presets.ts';
import type { BatchShape } from '../text/batches/buckets.ts';
import { optimizerConfig } from '../trainer/optimizer-config.ts';
import { evaluationGraph, trainingGraph } from '../trainer/training-graphs.ts';

/** Runs of a preset. */
export const presetRuns = ['training', 'evaluation', 'decoding'] as const;

/** A preset at a batch shape; plain JSON. */
export interface PresetArguments {
  readonly preset: PresetName;
  readonly run: (typeof presetRuns)[number];
  /** Fields of the configuration to change. */
  readonly model: Partial<ModelOptions>;
  readonly vocab: number;
  readonly shape: BatchShape;
  /** Graph rewrites to disable. */
  readonly noFuse?: readonly string[];
}

/** Returns configuration and graphs. Throws a HeddleError for an invalid configuration or an unknown rewrite. */
export function presetGraphs({ preset, run, model, vocab, shape, noFuse = [] }: PresetArguments): {
  readonly config: ModelConfig;
  readonly graphs: readonly Graph[];
} {
  const config = modelConfig({ srcVocab: vocab, tgtVocab: vocab, ...presets[preset], ...model });
  const p = parameterList(config);
  checkRewriteNames(noFuse);
  if (run === 'training') return { config, graphs: [trainingGraph(config, p, shape, optimizerConfig(), { noFuse })] };
  if (run === 'evaluation') return { config, graphs: [evaluationGraph(config, p, shape, { noFuse })] };
  return { config, graphs: [sourceGraph(config, p, shape, noFuse), stepGraph(config, p, shape, plainGreedy, noFuse)] };
}
