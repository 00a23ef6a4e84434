// Graphs of a model without a corpus, for commands that plan, time or tune them.

import { type DecodeShape, plainGreedy, sourceGraph, stepGraph } from '../../decode/decoding-graphs.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { checkRewriteNames } from '../../engine/graph/rewrites.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { parameterList } from '../../model/parameters.ts';
import { type PresetName, presets } from '../../model/presets.ts';
import { type SourceKinds, sourceKindOf } from '../../model/source-kind.ts';
import type { BatchShape } from '../../text/batches/buckets.ts';
import { optimizerConfig } from '../../train/update/optimizer-config.ts';
import { evaluationGraph, trainingGraph } from '../../train/update/training-graphs.ts';

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

/**
 * Returns configuration and graphs. Throws a HeddleError for an invalid configuration or an unknown rewrite.
 */
export async function presetGraphs(
  { preset, run, model, vocab, shape, noFuse = [] }: PresetArguments,
  sources: SourceKinds = {},
): Promise<{
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly graphs: readonly Graph[];
}> {
  const config = modelConfig({ srcVocab: vocab, tgtVocab: vocab, ...presets[preset], ...model });
  checkRewriteNames(noFuse);
  const parameters = parameterList(config, await sourceKindOf(config, sources));
  const graphs = runGraphs(run, config, parameters, shape, { noFuse });
  return { config, parameters, graphs: graphs.map(([, graph]) => graph) };
}

/** How a run decodes. */
export interface DecodingRun extends Pick<DecodeShape, 'cacheType'> {
  /** Number of beams; 1: greedy decoding. [1] */
  readonly beams?: number;
}

/** Options of `runGraphs`. */
interface RunGraphOptions {
  /** Graph rewrites to disable. */
  readonly noFuse: readonly string[];
  readonly decoding?: DecodingRun;
}

/** Graphs of a run with their names: two for decoding. */
export function runGraphs(
  run: PresetArguments['run'],
  c: ModelConfig,
  p: ParameterList,
  shape: BatchShape,
  { noFuse, decoding = {} }: RunGraphOptions,
): [name: string, graph: Graph][] {
  if (run === 'training') return [['training', trainingGraph(c, p, shape, optimizerConfig(), { noFuse })]];
  if (run === 'evaluation') return [['evaluation', evaluationGraph(c, p, shape, { noFuse })]];
  const { beams = 1, cacheType } = decoding;
  const sizes = { ...shape, beams, cacheType };
  const mode = { ...plainGreedy, method: beams > 1 ? ('beam' as const) : ('greedy' as const) };
  return [
    ['decoding, once a batch of sources', sourceGraph(c, p, sizes, noFuse)],
    ['decoding, once a token', stepGraph(c, p, sizes, mode, noFuse)],
  ];
}
