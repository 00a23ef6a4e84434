// The execution plan of decoding as text, for `Model.plan`.

import { checkNames } from '../core/fields.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import { defaultTraits } from '../engine/ops/device-traits.ts';
import { printPlan } from '../engine/plan/plan.ts';
import { makePlan } from '../engine/plan/planner.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';

/** Shape of a batch for `Model.plan`; in heddle plan: --batch-size, --source-length, --target-length. */
export interface PlanShape {
  /** Number of sentences. [1] */
  readonly batch?: number;
  /** Number of source and target positions. [32, or the model's maximum length if it is less] */
  readonly source?: number;
  readonly target?: number;
}

/** Formats the plans of the encoder and of a decoding step: passes, shapes, memory. */
export function decodingPlan(
  c: ModelConfig,
  p: ParameterList,
  { batch = 1, source, target, ...others }: PlanShape,
): string {
  checkNames({ area: 'plan' }, ['batch', 'source', 'target'], Object.keys(others));
  const length = Math.min(32, c.maxLength);
  const shape = { batch, source: source ?? length, target: target ?? length };
  const graphs = { source: sourceGraph(c, p, shape), step: stepGraph(c, p, shape, plainGreedy) };
  return Object.entries(graphs)
    .map(([name, graph]) => `${name}\n\n${printPlan(makePlan(graph, { traits: defaultTraits }))}`)
    .join('\n');
}
