// Rewrites: small, named changes of a graph that make fewer and larger kernels and leave what is computed alone. Each can be
// switched off by name, so that a test can hold the fused graph against the plain one.

import { HeddleError } from '../errors.ts';
import { activationOp } from '../ops/activation.ts';
import { addOp } from '../ops/add.ts';
import { dropoutOp } from '../ops/dropout.ts';
import { embeddingBackwardOp } from '../ops/embedding.ts';
import { addLayerNormOp, layerNormOp } from '../ops/layer-norm.ts';
import { linearOp } from '../ops/linear.ts';
import type { Node, Op, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** One rewrite: changes what it can at `node`; returns whether it did. */
type Rule = (graph: Graph, node: Node, users: ReadonlyMap<Value, readonly Node[]>) => boolean;

const isA = <A extends object>(node: Node | undefined, op: Op<A & Node['attrs']>): node is Node<A & Node['attrs']> =>
  node?.op === (op as unknown as Op);
const only = (users: ReadonlyMap<Value, readonly Node[]>, v: Value): Node | undefined =>
  users.get(v)?.length === 1 ? users.get(v)?.[0] : undefined;

/** Before differentiation: on the nodes that the model was written in. */
const forwardRules: Record<string, Rule> = {
  /** activation(linear(x)) becomes the epilogue of the product. */
  'linear-activation'(graph, node, users) {
    if (!isA(node, activationOp)) return false;
    const product = node.inputs[0]?.node;
    if (!isA(product, linearOp) || product.attrs.activation !== 'none') return false;
    if (graph.isOutput(node.inputs[0] as Value) || only(users, node.inputs[0] as Value) !== node) return false;
    graph.replace([product, node], linearOp, product.inputs, { ...product.attrs, activation: node.attrs.kind }, [
      node.outputs[0],
    ]);
    return true;
  },
  /** layer_norm(residual + dropout(x)) becomes one kernel that also keeps the sum. */
  'residual-norm'(graph, node, users) {
    if (!isA(node, layerNormOp)) return false;
    const sum = node.inputs[0] as Value;
    const plus = sum.node;
    if (!isA(plus, addOp)) return false;
    const at = graph.nodes.indexOf(node);
    if (users.get(sum)?.some((u) => graph.nodes.indexOf(u) < at)) return false;
    const [residual, x] = plus.inputs as [Value, Value];
    const dropped = x.node;
    const fuse = isA(dropped, dropoutOp) && only(users, x) === plus;
    const [addend, step] = fuse ? (dropped.inputs as [Value, Value]) : [x, undefined];
    const { rate, site } = fuse ? dropped.attrs : { rate: 0, site: 0 };
    const [, gamma, beta] = node.inputs as [Value, Value, Value];
    graph.replace(
      fuse ? [dropped, plus, node] : [plus, node],
      addLayerNormOp,
      [addend, residual, gamma, beta, ...(step ? [step] : [])],
      { eps: node.attrs.eps, rate, site },
      [node.outputs[0], sum, node.outputs[1]],
    );
    return true;
  },
};

/** After differentiation: on gradients. */
const backwardRules: Record<string, Rule> = {
  /** a + embedding_backward(..) adds only the rows that the batch touched. */
  'embedding-onto'(graph, node, users) {
    if (!isA(node, addOp)) return false;
    for (const [i, v] of node.inputs.entries()) {
      const back = v.node;
      const base = node.inputs[1 - i] as Value;
      if (!isA(back, embeddingBackwardOp) || back.attrs.onto || only(users, v) !== node) continue;
      graph.replace([back, node], embeddingBackwardOp, [...back.inputs, base], { ...back.attrs, onto: true }, [
        node.outputs[0],
      ]);
      return true;
    }
    return false;
  },
};

/** Names of all rewrites, for `--no-fuse`. */
export const rewriteNames: readonly string[] = [...Object.keys(forwardRules), ...Object.keys(backwardRules)];

/** Throws a HeddleError for a name that is no rewrite. */
export function checkRewriteNames(names: readonly string[]): void {
  for (const name of names)
    if (!rewriteNames.includes(name))
      throw new HeddleError(`There is no rewrite ${name}; the rewrites are ${rewriteNames.join(', ')}.`);
}

/** Applies the forward rewrites, except those named in `off`, until none applies. */
export const fuseForward = (graph: Graph, off: readonly string[] = []): void => applyAll(graph, forwardRules, off);

/** Applies the rewrites of gradients, except those named in `off`, until none applies. */
export const fuseBackward = (graph: Graph, off: readonly string[] = []): void => applyAll(graph, backwardRules, off);

function applyAll(graph: Graph, rules: Record<string, Rule>, off: readonly string[]): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (off.includes(name)) continue;
    for (let changed = true; changed; ) {
      const users = graph.users();
      changed = graph.nodes.some((node) => rule(graph, node, users));
    }
  }
}
