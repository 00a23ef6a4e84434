// Opens the weights of a model in a graph.

import type { Graph } from '../engine/graph/graph.ts';
import { stepWords } from '../engine/ops/step-scalars.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import type { Points } from './points.ts';
import type { Transformer } from './scope.ts';

/** Adds the weights of a model to a graph, with the LoRA adapter of the list if it has one. `points`: those of an inspection. */
export function openTransformer(
  graph: Graph,
  config: ModelConfig,
  parameters: ParameterList,
  training: boolean,
  points?: Points,
): Transformer {
  const { quantization, lora, stateSuffix = '', grownFrom } = parameters;
  const opened = quantization?.open(graph, stateSuffix);
  const weightBuffer = opened?.buffer ?? graph.state(`weights${stateSuffix}`, 'f32', [parameters.size]);
  const slices = () =>
    parameters.all.map(
      ({ name, offset, shape }) => [name, graph.slice(weightBuffer, name, offset, shape)] as const,
    );
  const weights = new Map(opened?.plain ?? slices());
  const step = graph.input('step', 'u32', [stepWords]);
  let sites = 0;
  const nextSite = () => sites++;
  return {
    graph,
    config,
    weightBuffer,
    weights,
    stateSuffix,
    grownFrom,
    training,
    step,
    nextSite,
    quantized: opened?.quantized,
    points,
    lora: lora?.open(graph, config, step, training ? nextSite : undefined),
  };
}
