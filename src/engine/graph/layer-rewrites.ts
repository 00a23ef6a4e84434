// Rewrites fuse nodes of a graph into fewer and larger kernels that compute the same. Each has a name and can
// be turned off, so that a test can compare the fused graph with the plain one. This file has the rewrites of
// layers, for training and decoding; rewrites.ts has those of losses and gradients.

import { activationOp, addOp, type DropoutAttrs, dropoutOp } from '../ops/elementwise/elementwise-ops.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { addLayerNormOp, addRmsNormOp, layerNormOp, rmsNormOp } from '../ops/norm/layer-norm.ts';
import type { Node, Value } from '../ops/op.ts';
import { applicationOf } from '../ops/op-nodes.ts';
import type { Graph } from './graph.ts';

/** A rewrite: changes the graph at `node` if it applies there; returns whether it did. */
export type Rule = (graph: Graph, node: Node, users: ReadonlyMap<Value, readonly Node[]>) => boolean;

/** The only node that reads a value; undefined if there are more, or if a run reads the value back. */
export const onlyReader = (
  graph: Graph,
  users: ReadonlyMap<Value, readonly Node[]>,
  v: Value,
): Node | undefined => (users.get(v)?.length === 1 && !graph.isOutput(v) ? users.get(v)?.[0] : undefined);

/** Rewrites of layers, by name. */
export const layerRules: Readonly<Record<string, Rule>> = {
  /** activation(linear(x)) becomes the epilogue of the product. */
  'linear-activation'(graph, node, users) {
    const f = applicationOf(node, activationOp);
    const product = applicationOf(f?.inputs.x.node, linearOp);
    if (!f || !product || product.attrs.activation !== 'none' || product.attrs.rate) return false;
    if (onlyReader(graph, users, f.inputs.x) !== node) return false;
    const attrs = { ...product.attrs, activation: f.attrs.kind };
    graph.replace([product.node, node], linearOp, product.inputs, attrs, { y: f.outputs.y });
    return true;
  },
  /** layer_norm(residual + dropout(x)) becomes one kernel that also stores the sum; rms_norm too. */
  'residual-norm'(graph, node, users) {
    const layer = applicationOf(node, layerNormOp);
    const norm = layer ?? applicationOf(node, rmsNormOp);
    const plus = applicationOf(norm?.inputs.x.node, addOp);
    if (!norm || !plus) return false;
    const { x: s, gamma } = norm.inputs;
    const at = graph.nodes.indexOf(node);
    if (users.get(s)?.some((user) => graph.nodes.indexOf(user) < at)) return false;
    const { a: residual, b: x } = plus.inputs;
    const dropped = applicationOf(x.node, dropoutOp);
    const { y, stats } = norm.outputs;
    const { eps } = norm.attrs;
    const replace = (old: Node[], inputs: { x: Value; step?: Value }, mask: DropoutAttrs): void => {
      const all = { ...inputs, residual, gamma };
      const outputs = { y, s, stats };
      if (layer)
        graph.replace(old, addLayerNormOp, { ...all, beta: layer.inputs.beta }, { eps, ...mask }, outputs);
      else graph.replace(old, addRmsNormOp, all, { eps, ...mask }, outputs);
    };
    if (dropped && residual !== x && onlyReader(graph, users, x) === plus.node) {
      const { x: branch, step } = dropped.inputs;
      replace([dropped.node, plus.node, node], { x: branch, step }, dropped.attrs);
    } else replace([plus.node, node], { x }, { rate: 0, site: 0 });
    return true;
  },
  /** dropout(linear(x)), activation included, becomes the epilogue of the product. */
  'linear-dropout'(graph, node, users) {
    const dropped = applicationOf(node, dropoutOp);
    const product = applicationOf(dropped?.inputs.x.node, linearOp);
    if (!dropped || !product || product.attrs.rate || product.outputs.y !== dropped.inputs.x) return false;
    if (onlyReader(graph, users, dropped.inputs.x) !== node) return false;
    const inputs = { ...product.inputs, step: dropped.inputs.step };
    const outputs = { y: dropped.outputs.y, z: product.outputs.z };
    graph.replace([product.node, node], linearOp, inputs, { ...product.attrs, ...dropped.attrs }, outputs);
    return true;
  },
};

/**
 * Applies the rewrites of layers, except those named in `off`, until none applies. Decoding needs no others.
 */
export const fuseLayers = (graph: Graph, off: readonly string[] = []): void =>
  applyAll(graph, layerRules, off);

/** Applies rules one after another, except those named in `off`, each until it does not apply. */
export function applyAll(graph: Graph, rules: Readonly<Record<string, Rule>>, off: readonly string[]): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (off.includes(name)) continue;
    for (let changed = true; changed; ) {
      const users = graph.users();
      changed = graph.nodes.some((node) => rule(graph, node, users));
    }
  }
}
