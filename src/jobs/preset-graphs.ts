// The graphs that a run of a preset is made of, for commands that look at kernels and not at a corpus.

import { sourceGraph, stepGraph } from '../decode/graphs.ts';
import type { Graph } from '../graph/graph.ts';
import { type ModelConfig, type ModelOptions, modelConfig, type PresetName, presets } from '../model/config.ts';
import { parameterList } from '../model/parameters.ts';
import type { BatchShape } from '../text/buckets.ts';
import { evaluationGraph, trainingGraph } from '../train/graphs.ts';
import { optimizerConfig } from '../train/optimizer.ts';

/** What is run. */
export const presetRuns = ['training', 'evaluation', 'decoding'] as const;

/** A preset at a batch shape; plain JSON. */
export interface PresetArguments {
  readonly preset: PresetName;
  readonly run: (typeof presetRuns)[number];
  /** Fields that differ from the preset's. */
  readonly model: Partial<ModelOptions>;
  readonly vocab: number;
  readonly shape: BatchShape;
}

/** The model and the graphs of a run. Throws a HeddleError where the model is not sound. */
export function presetGraphs({ preset, run, model, vocab, shape }: PresetArguments): {
  readonly config: ModelConfig;
  readonly graphs: readonly Graph[];
} {
  const config = modelConfig({ srcVocab: vocab, tgtVocab: vocab, ...presets[preset], ...model });
  const p = parameterList(config);
  if (run === 'training') return { config, graphs: [trainingGraph(config, p, shape, optimizerConfig())] };
  if (run === 'evaluation') return { config, graphs: [evaluationGraph(config, p, shape)] };
  return { config, graphs: [sourceGraph(config, p, shape), stepGraph(config, p, shape)] };
}
