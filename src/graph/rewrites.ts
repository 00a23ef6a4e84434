// Rewrites: small, named changes of a graph that make fewer and larger kernels and leave what is computed alone. Each can be
// switched off by name, so that a test can hold the fused graph against the plain one.

import { HeddleError } from '../core/errors.ts';
import { bytesOf, matrixOf, sameShape, sizeOf } from '../core/tensor.ts';
import { activationBackwardOp, activationOp } from '../ops/elementwise/activation.ts';
import { addOp } from '../ops/elementwise/add.ts';
import { type ColumnSumAttrs, columnSumOp } from '../ops/elementwise/column-sum.ts';
import { dropoutOp } from '../ops/elementwise/dropout.ts';
import { embeddingBackwardOp } from '../ops/embedding/embedding-backward.ts';
import { crossEntropyFusedOp, crossEntropyOp } from '../ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../ops/loss/projected-loss.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { linearBackwardOp } from '../ops/matmul/linear-backward.ts';
import { addLayerNormOp, layerNormOp } from '../ops/norm/layer-norm.ts';
import { normSumsOp, padded } from '../ops/norm/norm-sums.ts';
import type { Node, Op, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** One rewrite: changes what it can at `node`; returns whether it did. */
type Rule = (graph: Graph, node: Node, users: ReadonlyMap<Value, readonly Node[]>) => boolean;

const isA = <A extends object>(node: Node | undefined, op: Op<A & Node['attrs']>): node is Node<A & Node['attrs']> =>
  node?.op === (op as unknown as Op);
/** The one node that reads a value, where nobody else does and no run reads it back. */
const only = (graph: Graph, users: ReadonlyMap<Value, readonly Node[]>, v: Value): Node | undefined =>
  users.get(v)?.length === 1 && !graph.isOutput(v) ? users.get(v)?.[0] : undefined;

/** Most bytes of logits at once, unless said otherwise: an eighth of WebGPU's guaranteed binding. */
const mostLogits = 2 ** 24;

/** Before differentiation: on the nodes that the model was written in. */
const forwardRules = (logitBytes: number): Record<string, Rule> => ({
  /** The loss of large logits goes through the rows in chunks, the projection included, and in training all gradients. */
  'loss-chunks'(graph, node, users) {
    const gradients = isA(node, crossEntropyFusedOp);
    if (!gradients && !isA(node, crossEntropyOp)) return false;
    const [logits, targets, step] = node.inputs as [Value, Value, Value];
    const [nll, hit, other] = node.outputs as [Value, Value, Value];
    if (users.has(other) || graph.isOutput(other)) return false;
    const product = logits.node;
    if (!isA(product, linearOp) || product.attrs.activation !== 'none' || product.attrs.rate) return false;
    if (only(graph, users, logits) !== node || bytesOf(logits) <= logitBytes) return false;
    const { rows, cols } = matrixOf(logits.shape);
    const [x, w, b] = product.inputs as [Value, Value, Value?];
    const most = Math.max(1, Math.floor(logitBytes / 4 / cols / 64));
    const chunks = Math.ceil(rows / 64 / most);
    graph.replace(
      [product, node],
      projectedLossOp,
      [x, w, targets, step, ...(b ? [b] : [])],
      { ...node.attrs, bias: product.attrs.bias, gradients, rows: 64 * Math.ceil(rows / 64 / chunks) },
      [nll, hit],
    );
    return true;
  },
  /** activation(linear(x)) becomes the epilogue of the product. */
  'linear-activation'(graph, node, users) {
    if (!isA(node, activationOp)) return false;
    const product = node.inputs[0]?.node;
    if (!isA(product, linearOp) || product.attrs.activation !== 'none' || product.attrs.rate) return false;
    if (only(graph, users, node.inputs[0] as Value) !== node) return false;
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
    const fuse = isA(dropped, dropoutOp) && residual !== x && only(graph, users, x) === plus;
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
  /** dropout(linear(x)), activation included, becomes the epilogue of the product. */
  'linear-dropout'(graph, node, users) {
    if (!isA(node, dropoutOp)) return false;
    const [y, step] = node.inputs as [Value, Value];
    const product = y.node;
    if (!isA(product, linearOp) || product.attrs.rate || product.outputs[0] !== y) return false;
    if (only(graph, users, y) !== node) return false;
    graph.replace([product, node], linearOp, [...product.inputs, step], { ...product.attrs, ...node.attrs }, [
      node.outputs[0],
      ...product.outputs.slice(1),
    ]);
    return true;
  },
});

/** The inputs of a linear backward with a tensor for `extra`, which stands before the step of dropout. */
const withExtra = ({ inputs }: Node, extra: Value): Value[] => [...inputs.slice(0, 3), extra, ...inputs.slice(3)];

/** After differentiation: on gradients. */
const backwardRules: Record<string, Rule> = {
  /** a + embedding_backward(..) adds only the rows that the batch touched. */
  'embedding-onto'(graph, node, users) {
    if (!isA(node, addOp)) return false;
    for (const [i, v] of node.inputs.entries()) {
      const back = v.node;
      const base = node.inputs[1 - i] as Value;
      if (!isA(back, embeddingBackwardOp) || back.attrs.onto || only(graph, users, v) !== node) continue;
      graph.replace([back, node], embeddingBackwardOp, [...back.inputs, base], { ...back.attrs, onto: true }, [
        node.outputs[0],
      ]);
      return true;
    }
    return false;
  },
  /** The dropout below a linear layer acts on its dx: in the product's epilogue. */
  'dropout-gradient'(graph, node, users) {
    if (!isA(node, dropoutOp)) return false;
    const [dy, step] = node.inputs as [Value, Value];
    const back = dy.node;
    if (!isA(back, linearBackwardOp) || !back.attrs.dx || back.attrs.extra !== 'none' || back.attrs.rate) return false;
    if (back.outputs[0] !== dy || only(graph, users, dy) !== node) return false;
    graph.replace([back, node], linearBackwardOp, [...back.inputs, step], { ...back.attrs, ...node.attrs }, [
      node.outputs[0],
      ...back.outputs.slice(1),
    ]);
    return true;
  },
  /** dx of a linear layer times the derivative of the activation below it: in the product's epilogue. */
  'activation-gradient'(graph, node, users) {
    if (!isA(node, activationBackwardOp) || node.attrs.kind === 'none') return false;
    const [at, dy] = node.inputs as [Value, Value];
    const back = dy.node;
    if (!isA(back, linearBackwardOp) || !back.attrs.dx || back.attrs.extra !== 'none') return false;
    if (back.outputs[0] !== dy || only(graph, users, dy) !== node) return false;
    graph.replace([back, node], linearBackwardOp, withExtra(back, at), { ...back.attrs, extra: node.attrs.kind }, [
      node.outputs[0],
      ...back.outputs.slice(1),
    ]);
    return true;
  },
  /** a + dx of a linear layer: the gradient of a residual path joins in the product's epilogue. */
  'residual-gradient'(graph, node, users) {
    if (!isA(node, addOp)) return false;
    for (const [i, v] of node.inputs.entries()) {
      const back = v.node;
      const other = node.inputs[1 - i] as Value;
      if (!isA(back, linearBackwardOp) || !back.attrs.dx || back.attrs.extra !== 'none') continue;
      if (back.outputs[0] !== v || only(graph, users, v) !== node || other.node === back) continue;
      graph.replace([back, node], linearBackwardOp, withExtra(back, other), { ...back.attrs, extra: 'add' }, [
        node.outputs[0],
        ...back.outputs.slice(1),
      ]);
      return true;
    }
    return false;
  },
};

/** Gradients in their places: on a graph whose parameters' gradients lie in a bank. */
const placedRewrites: Record<string, (graph: Graph) => void> = {
  /** The second stages of all norms whose weights lie side by side become one kernel. */
  'norm-sums'(graph) {
    const sums = graph.nodes.filter(
      (node): node is Node<ColumnSumAttrs> =>
        isA(node, columnSumOp) && node.attrs.parts === 2 && node.inputs.length === 1,
    );
    const runs: Node<ColumnSumAttrs>[][] = [];
    const startOf = (n: Node<ColumnSumAttrs>) => n.outputs[0]?.at?.offset ?? -1;
    for (const node of sums.sort((a, b) => startOf(a) - startOf(b))) {
      const [gamma, beta] = node.outputs as [Value, Value];
      const part = padded(sizeOf(gamma.shape));
      if (!gamma.at || gamma.at.bank !== beta.at?.bank || beta.at.offset !== gamma.at.offset + part) continue;
      const before = runs.at(-1)?.at(-1);
      const fits =
        before &&
        startOf(before) + 2 * part === startOf(node) &&
        sameShape(before.inputs[0]?.shape ?? [], node.inputs[0]?.shape ?? []);
      if (fits) runs.at(-1)?.push(node);
      else runs.push([node]);
    }
    for (const [k, run] of runs.entries()) {
      const [first] = run;
      if (!first || run.length < 2) continue;
      const { rows, cols } = matrixOf((first.inputs[0] as Value).shape);
      const stride = padded(rows * cols);
      const bank = graph.state(`norm.partials.${k}.${rows}x${cols}x${run.length}`, 'f32', [run.length * stride]);
      for (const [i, node] of run.entries()) graph.place(node.inputs[0] as Value, bank, i * stride);
      const { bank: gradients, offset } = (first.outputs[0] as Value).at as NonNullable<Value['at']>;
      const attrs = { count: run.length, rows, cols: cols / 2, stride };
      const total = graph.replace(run, normSumsOp, [bank], attrs, [])[0] as Value;
      graph.place(total, gradients, offset);
    }
  },
};

/** Names of all rewrites, for `--no-fuse`. */
export const rewriteNames: readonly string[] = [
  ...Object.keys(forwardRules(mostLogits)),
  ...Object.keys(backwardRules),
  ...Object.keys(placedRewrites),
];

/** Throws a HeddleError for a name that is no rewrite. */
export function checkRewriteNames(names: readonly string[]): void {
  for (const name of names)
    if (!rewriteNames.includes(name))
      throw new HeddleError(`There is no rewrite ${name}; the rewrites are ${rewriteNames.join(', ')}.`);
}

/** Applies the forward rewrites, except those named in `off`, until none applies. `logitBytes`: most bytes of logits at once. */
export const fuseForward = (graph: Graph, off: readonly string[] = [], logitBytes = mostLogits): void =>
  applyAll(graph, forwardRules(logitBytes), off);

/** Applies the rewrites of gradients, except those named in `off`, until none applies. */
export const fuseBackward = (graph: Graph, off: readonly string[] = []): void => applyAll(graph, backwardRules, off);

/** Applies the rewrites of gradients that have been placed, except those named in `off`. */
export function fusePlaced(graph: Graph, off: readonly string[] = []): void {
  for (const [name, rewrite] of Object.entries(placedRewrites)) if (!off.includes(name)) rewrite(graph);
}

function applyAll(graph: Graph, rules: Record<string, Rule>, off: readonly string[]): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (off.includes(name)) continue;
    for (let changed = true; changed; ) {
      const users = graph.users();
      changed = graph.nodes.some((node) => rule(graph, node, users));
    }
  }
}
