import type { Graph } from '../graph/graph.ts';
import type { Model } from '../model/transformer.ts';
import type { Value } from '../ops/op.ts';
export interface OptimizerConfig { readonly kind: string }
export function applyOptimizer(_g: Graph, _m: Model, _b: Value, _o: OptimizerConfig): void {}
