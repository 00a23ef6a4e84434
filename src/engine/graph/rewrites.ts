// The rewrites of losses and gradients, and the names of all rewrites. layer-rewrites.ts has those of layers.

import { check, checkTypes, HeddleError, kindOf } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import { alignedSize, bytesOf, matrixOf, sameShape, sizeOf } from '../../core/tensor.ts';
import { activationBackwardOp } from '../ops/elementwise/activation-backward.ts';
import { columnSumOp, normSumsOp } from '../ops/elementwise/column-sum.ts';
import { addOp, dropoutOp } from '../ops/elementwise/elementwise-ops.ts';
import { embeddingBackwardOp } from '../ops/embedding/embedding-backward.ts';
import { crossEntropyOp } from '../ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../ops/loss/projected-loss.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { linearBackwardOp } from '../ops/matmul/linear-backward.ts';
import { packedLinearOp } from '../ops/matmul/packed-linear.ts';
import type { Node, Value } from '../ops/op.ts';
import { applicationOf } from '../ops/op-nodes.ts';
import { checkGraph, type Graph } from './graph.ts';
import { applyAll, fuseLayers, layerRules, onlyReader, type Rule } from './layer-rewrites.ts';

/**
 * Default maximum size of a chunk of logits in bytes: 16 MiB. It is larger if that makes more than 8 chunks,
 * since each chunk adds dispatches, but at most WebGPU's guaranteed binding size.
 */
const maxLogits = { usual: 2 ** 24, chunks: 8, max: 2 ** 27 } as const;

/** Rewrites of the loss, applied before differentiation. */
const lossRules = (logitBytes?: number, trained?: ReadonlySet<Value>): Record<string, Rule> => ({
  /** Large logits: projection, loss and, in training, all gradients are computed in chunks of rows. */
  'loss-chunks'(graph, node, users) {
    const loss = applicationOf(node, crossEntropyOp);
    if (!loss) return false;
    const { fused, smoothing, ignore } = loss.attrs;
    const { nll, hit, lse, dlogits } = loss.outputs;
    for (const v of [lse, dlogits]) if (v && (users.has(v) || graph.isOutput(v))) return false;
    const { logits, targets, step } = loss.inputs;
    const plain = applicationOf(logits.node, linearOp);
    const packed = applicationOf(logits.node, packedLinearOp);
    const product = plain ?? packed;
    if (!product || (plain && (plain.attrs.activation !== 'none' || plain.attrs.rate))) return false;
    const usual = logitBytes ?? maxLogits.usual;
    if (onlyReader(graph, users, logits) !== node || bytesOf(logits) <= usual) return false;
    const { rows, cols } = matrixOf(logits.shape);
    const { x, b } = product.inputs;
    const weights = packed
      ? { w: packed.inputs.words, scales: packed.inputs.scales }
      : { w: plain?.inputs.w as Value };
    // In blocks of 64 rows.
    const blocks = Math.ceil(rows / 64);
    const fitting = (bytes: number) => Math.floor(bytes / 4 / cols / 64);
    const minChunks = logitBytes ? 0 : Math.min(fitting(maxLogits.max), Math.ceil(blocks / maxLogits.chunks));
    const chunks = Math.ceil(blocks / Math.max(1, fitting(usual), minChunks));
    const frozen = trained !== undefined && !trained.has(weights.w) && !(b && trained.has(b));
    const chunked = { smoothing, ignore, gradients: fused, rows: 64 * Math.ceil(blocks / chunks) };
    const attrs = { ...chunked, frozen: frozen || undefined, format: packed?.attrs.format };
    graph.replace([product.node, node], projectedLossOp, { x, ...weights, targets, step, b }, attrs, {
      nll,
      hit,
    });
    return true;
  },
});

/**
 * The backward node of a linear layer if only `reader` reads its dx and it has no epilogue yet except
 * dropout. It will take the place of `reader`, so nothing before it may read the other gradients: those of tied
 * layers are summed early.
 */
function openBackward(graph: Graph, users: ReadonlyMap<Value, readonly Node[]>, dx: Value, reader: Node) {
  const back = applicationOf(dx.node, linearBackwardOp);
  if (!back || back.outputs.dx !== dx || back.attrs.epilogue !== 'none') return undefined;
  if (onlyReader(graph, users, dx) !== reader) return undefined;
  const others = back.node.outputs.flatMap((v) => (v === dx ? [] : (users.get(v) ?? [])));
  const at = others.length > 0 ? graph.nodes.indexOf(reader) : 0;
  return others.some((other) => graph.nodes.indexOf(other) < at) ? undefined : back;
}

/** The operands of a sum in both orders. */
const bothOrders = ({ a, b }: Record<'a' | 'b', Value>): [Value, Value][] => [
  [a, b],
  [b, a],
];

/** Rewrites of gradients, applied after differentiation. */
const backwardRules: Record<string, Rule> = {
  /** a + embedding_backward(..) adds only the rows of tokens in the batch. */
  'embedding-onto'(graph, node, users) {
    const plus = applicationOf(node, addOp);
    if (!plus) return false;
    for (const [v, base] of bothOrders(plus.inputs)) {
      const back = applicationOf(v.node, embeddingBackwardOp);
      if (!back || back.inputs.base || onlyReader(graph, users, v) !== node) continue;
      const outputs = { dtable: plus.outputs.y };
      graph.replace([back.node, node], embeddingBackwardOp, { ...back.inputs, base }, back.attrs, outputs);
      return true;
    }
    return false;
  },
  /** The dropout below a linear layer acts on its dx: in the product's epilogue. */
  'dropout-gradient'(graph, node, users) {
    const dropped = applicationOf(node, dropoutOp);
    const back = dropped && openBackward(graph, users, dropped.inputs.x, node);
    if (!back || back.attrs.rate) return false;
    const inputs = { ...back.inputs, step: dropped.inputs.step };
    const outputs = { ...back.outputs, dx: dropped.outputs.y };
    graph.replace([back.node, node], linearBackwardOp, inputs, { ...back.attrs, ...dropped.attrs }, outputs);
    return true;
  },
  /** dx of a linear layer times the derivative of the activation below it: in the product's epilogue. */
  'activation-gradient'(graph, node, users) {
    const slope = applicationOf(node, activationBackwardOp);
    if (!slope || slope.attrs.kind === 'none') return false;
    const back = openBackward(graph, users, slope.inputs.dy, node);
    if (!back) return false;
    const inputs = { ...back.inputs, operand: slope.inputs.x };
    const outputs = { ...back.outputs, dx: slope.outputs.dx };
    const attrs = { ...back.attrs, epilogue: slope.attrs.kind };
    graph.replace([back.node, node], linearBackwardOp, inputs, attrs, outputs);
    return true;
  },
  /** a + dx of a linear layer: the product's epilogue adds the gradient of a residual path. */
  'residual-gradient'(graph, node, users) {
    const plus = applicationOf(node, addOp);
    if (!plus) return false;
    for (const [dx, operand] of bothOrders(plus.inputs)) {
      const back = openBackward(graph, users, dx, node);
      if (!back || operand.node === back.node) continue;
      const outputs = { ...back.outputs, dx: plus.outputs.y };
      const attrs = { ...back.attrs, epilogue: 'add' } as const;
      graph.replace([back.node, node], linearBackwardOp, { ...back.inputs, operand }, attrs, outputs);
      return true;
    }
    return false;
  },
};

/**
 * The column sums of a norm whose dgamma and dbeta are one after the other in a buffer: dgamma from `start`
 * on, dbeta `length` elements later. Empty for other nodes.
 */
function placedNorm(node: Node) {
  const sums = applicationOf(node, columnSumOp);
  const [dgamma, dbeta] = sums?.outputs.sums ?? [];
  if (!sums || !dgamma?.at || !dbeta?.at) return [];
  const { buffer: gradients, offset: start } = dgamma.at;
  const length = alignedSize(sizeOf(dgamma.shape));
  if (dbeta.at.buffer !== gradients || dbeta.at.offset !== start + length) return [];
  return [{ node, partials: sums.inputs.partials, gradients, start, length }];
}

type PlacedNorm = ReturnType<typeof placedNorm>[number];

/** Rewrites that are applied after the gradients of the parameters have been placed in a buffer. */
const placedRewrites: Record<string, (graph: Graph) => void> = {
  /**
   * One kernel does the column sums of all norms whose dgamma and dbeta are one after another in the buffer.
   */
  'norm-sums'(graph) {
    const runs: PlacedNorm[][] = [];
    for (const norm of graph.nodes.flatMap(placedNorm).sort((a, b) => a.start - b.start)) {
      const before = runs.at(-1)?.at(-1);
      const follows =
        before &&
        before.start + 2 * before.length === norm.start &&
        sameShape(before.partials.shape, norm.partials.shape);
      if (follows) runs.at(-1)?.push(norm);
      else runs.push([norm]);
    }
    for (const [k, run] of runs.entries()) {
      const [first] = run;
      if (!first || run.length < 2) continue;
      const { rows, cols } = matrixOf(first.partials.shape);
      const stride = alignedSize(rows * cols);
      const name = `norm.partials.${k}.${rows}x${cols}x${run.length}`;
      const partials = graph.state(name, 'f32', [run.length * stride]);
      for (const [i, norm] of run.entries()) graph.place(norm.partials, partials, i * stride);
      const attrs = { count: run.length, rows, cols: cols / 2, stride };
      const old = run.map(({ node }) => node);
      const { sums } = graph.replace(old, normSumsOp, { partials }, attrs, {});
      graph.place(sums, first.gradients, first.start);
    }
  },
};

/** Names of all rewrites, for `--no-fuse`. */
export const rewriteNames: readonly string[] = [
  ...Object.keys(lossRules()),
  ...Object.keys(layerRules),
  ...Object.keys(backwardRules),
  ...Object.keys(placedRewrites),
];

/** Throws a HeddleError for a name that is not a rewrite. */
export function checkRewriteNames(names: readonly string[]): void {
  for (const name of names)
    if (!rewriteNames.includes(name))
      throw new HeddleError(msg`There is no rewrite ${name}; the rewrites are ${listed(rewriteNames)}.`);
}

function checkRewriting(area: string, graph: Graph, off: readonly string[]): void {
  checkGraph(area, graph);
  checkTypes(area, 'a list', { off });
}

/**
 * Applies the forward rewrites, except those named in `off`, until none applies. `logitBytes`: maximum bytes
 * of logits at once. `trained`: the weights that are trained; default all.
 *
 * @example
 * fuseForward(graph, ['loss-chunks']); // all but one
 */
export const fuseForward = (
  graph: Graph,
  off: readonly string[] = [],
  logitBytes?: number,
  trained?: ReadonlySet<Value>,
): void => {
  checkRewriting('fuseForward', graph, off);
  if (logitBytes !== undefined) checkTypes('fuseForward', 'a number', { logitBytes });
  check(
    trained === undefined || trained instanceof Set,
    msg`trained is ${kindOf(trained)}, it must be a set`,
    { area: 'fuseForward' },
  );
  applyAll(graph, lossRules(logitBytes, trained), off);
  fuseLayers(graph, off);
};

/**
 * Applies the rewrites of gradients, except those named in `off`, until none applies.
 *
 * @example
 * fuseBackward(graph);
 */
export function fuseBackward(graph: Graph, off: readonly string[] = []): void {
  checkRewriting('fuseBackward', graph, off);
  applyAll(graph, backwardRules, off);
}

/**
 * Applies the rewrites of gradients that have been placed, except those named in `off`.
 *
 * @example
 * fusePlaced(graph);
 */
export function fusePlaced(graph: Graph, off: readonly string[] = []): void {
  checkRewriting('fusePlaced', graph, off);
  for (const [name, rewrite] of Object.entries(placedRewrites)) if (!off.includes(name)) rewrite(graph);
}
