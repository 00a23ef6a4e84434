// Fuses the sublayers of a decoding step of few rows into one dispatch each (src/engine/ops/rows/): for devices on
// which dispatches cost more than their work. Other than the rewrites, it is applied only if it is faster on the
// device, or if a caller asks for it.

import { dim, sizeOf } from '../../core/tensor.ts';
import { cachedCrossAttentionOp, cachedSelfAttentionOp } from '../ops/decoding/cached-attention.ts';
import type { Activation } from '../ops/elementwise/elementwise-ops.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { addLayerNormOp, addRmsNormOp, layerNormOp, rmsNormOp } from '../ops/norm/layer-norm.ts';
import type { Node, Value } from '../ops/op.ts';
import { applicationOf } from '../ops/op-nodes.ts';
import type { RowInputAttrs } from '../ops/rows/row-launch.ts';
import {
  fitsRows,
  maxRows,
  rowCrossAttentionOp,
  rowFeedForwardOp,
  rowLogitsOp,
  rowSelfAttentionOp,
} from '../ops/rows/row-sublayers.ts';
import { wholeVectors } from '../ops/work-division.ts';
import type { Graph } from './graph.ts';
import { onlyReader } from './layer-rewrites.ts';
import { inGraph, type Slice, sliceOf, span } from './weight-slices.ts';

/** The ops that one dispatch computes. */
export const rowOps: ReadonlySet<object> = new Set([
  rowSelfAttentionOp,
  rowCrossAttentionOp,
  rowFeedForwardOp,
  rowLogitsOp,
]);

/** A linear layer without dropout, whose weights and bias are slices of buffers. */
interface Layer {
  readonly node: Node;
  readonly x: Value;
  readonly y: Value;
  readonly w: Slice;
  readonly b: Slice | undefined;
  readonly activation: Activation;
}

/** A norm, of a sum if it has a residual. */
interface Norm {
  readonly node: Node;
  readonly x: Value;
  readonly residual: Value | undefined;
  readonly gamma: Slice;
  readonly beta: Slice | undefined;
  readonly eps: number;
  readonly y: Value;
  readonly s: Value | undefined;
}

/** A sublayer from its first product to its last; the logits have only one. */
interface Block {
  readonly first: Layer;
  /** The attention between the products. */
  readonly attention: Node | undefined;
  readonly last: Layer | undefined;
  readonly out: Value;
}

/** The norms before a block that become part of it, and the block whose shares it adds up. */
interface Beginning {
  readonly norms: readonly Norm[];
  readonly before: Block | undefined;
}

function layerOf(node: Node | undefined): Layer | undefined {
  const layer = applicationOf(node, linearOp);
  if (!layer || layer.attrs.rate || sizeOf(layer.inputs.x.shape) > maxRows * dim(layer.inputs.x, -1))
    return undefined;
  const { x, w, b } = layer.inputs;
  const [weights, bias] = [sliceOf(w), b && sliceOf(b)];
  if (!weights || (b && !bias)) return undefined;
  return { node: layer.node, x, y: layer.outputs.y, w: weights, b: bias, activation: layer.attrs.activation };
}

function normOf(node: Node | undefined): Norm | undefined {
  const sum = applicationOf(node, addLayerNormOp) ?? applicationOf(node, addRmsNormOp);
  const norm = sum ?? applicationOf(node, layerNormOp) ?? applicationOf(node, rmsNormOp);
  if (!node || !norm || (sum && sum.attrs.rate > 0)) return undefined;
  const inputs: Record<string, Value | undefined> = { ...norm.inputs };
  const [gamma, beta] = [sliceOf(norm.inputs.gamma), inputs.beta && sliceOf(inputs.beta)];
  if (!gamma || (inputs.beta && !beta)) return undefined;
  const { x } = norm.inputs;
  const { eps } = norm.attrs;
  return { node, x, residual: sum?.inputs.residual, gamma, beta, eps, y: norm.outputs.y, s: sum?.outputs.s };
}

/**
 * Fuses the sublayers of a graph of at most 8 rows whose weights are f32 slices. A sublayer is fused if the one after
 * it, or the logits, can add up its shares. Returns the nodes that it made.
 */
export function fuseRowSublayers(graph: Graph): Node[] {
  return new RowFusion(graph).run();
}

/** One application of the fusion. */
class RowFusion {
  readonly #graph: Graph;
  readonly #users: ReadonlyMap<Value, readonly Node[]>;
  /** Blocks by their result, and the shares of those that are fused. */
  readonly #blocks = new Map<Value, Block>();
  readonly #shares = new Map<Block, Value>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#users = graph.users();
  }

  run(): Node[] {
    const found = this.#graph.nodes.flatMap((node) => this.#blockOf(node) ?? []);
    const inside = new Set(found.flatMap(({ first, last }) => (last ? [first.node] : [])));
    const all = found.filter(({ first, last }) => last || !inside.has(first.node));
    for (const block of all) this.#blocks.set(block.out, block);
    const begins = new Map(all.map((block) => [block, this.#beginningOf(block)]));
    const fused = new Set<Block>();
    for (const block of [...all].reverse()) {
      const next = all.find((other) => begins.get(other)?.before === block);
      // The logits end a chain; a linear layer without a block before it is an ordinary one.
      if (block.last ? next && fused.has(next) : begins.get(block)?.before) fused.add(block);
    }
    return all.flatMap((block) =>
      fused.has(block) ? [this.#fuse(block, begins.get(block) as Beginning)] : [],
    );
  }

  #reader(v: Value): Node | undefined {
    return onlyReader(this.#graph, this.#users, v);
  }

  /** The block whose last layer is `node`, or the logits. */
  #blockOf(node: Node): Block | undefined {
    const last = layerOf(node);
    if (last?.activation !== 'none') return undefined;
    const { x } = last;
    const self = applicationOf(x.node, cachedSelfAttentionOp);
    const cross = applicationOf(x.node, cachedCrossAttentionOp);
    const attention = self ?? cross;
    const query = self?.inputs.qkv ?? cross?.inputs.q ?? x;
    const keys = self?.inputs.cache ?? cross?.inputs.kv;
    const first = layerOf(query.node);
    const isWhole = first && this.#reader(query) === (attention?.node ?? node) && this.#reader(x) === node;
    if (isWhole && (attention || first.activation !== 'none')) {
      const width = attention?.attrs.headWidth ?? 4;
      const fits = fitsRows(dim(first.x, -1), width) && dim(x, -1) % 4 === 0 && keys?.dtype !== 'u32';
      const [near, isBiased] = [span([first.w, last.w]), self?.inputs.bias !== undefined];
      return fits && near && !isBiased ? { first, attention: attention?.node, last, out: last.y } : undefined;
    }
    const isLogits = dim(last.y, -1) === wholeVectors(last.w.shape[0] ?? 0) && fitsRows(dim(x, -1));
    return isLogits && span([last.w])
      ? { first: last, attention: undefined, last: undefined, out: last.y }
      : undefined;
  }

  /** The norms before a block, the last one first to be found; at most two before the logits. */
  #beginningOf({ first, last }: Block): Beginning {
    const norm = normOf(first.x.node);
    if (!norm || norm.y !== first.x) return { norms: [], before: undefined };
    const earlier = last ? undefined : normOf(norm.x.node);
    const two = !norm.residual && earlier?.y === norm.x && this.#reader(norm.x) === norm.node;
    const norms = two && earlier ? [earlier, norm] : [norm];
    const [sum = norm] = norms;
    const before = sum.residual && this.#blocks.get(sum.x);
    const isPart = before?.last && this.#reader(sum.x) === sum.node && this.#keeps(norms, first, last);
    if (isPart && span(this.#vectors(norms, first, before))) return { norms, before };
    const alone = !norm.residual && this.#reader(norm.y) === first.node && span(this.#vectors([norm], first));
    return { norms: alone ? [norm] : [], before: undefined };
  }

  /** Which result of the first norm is read later: 'none', or undefined if more than one is. */
  #keeps(norms: readonly Norm[], first: Layer, last: Layer | undefined): 'sum' | 'norm' | 'none' | undefined {
    const [norm] = norms;
    if (!norm) return 'none';
    const readLater = (v: Value | undefined, own: Node) =>
      v !== undefined && (this.#graph.isOutput(v) || (this.#users.get(v) ?? []).some((node) => node !== own));
    const y = readLater(norm.y, norms[1]?.node ?? first.node);
    const s = readLater(norm.s, norm.node);
    if ((y && s) || (!last && (y || s))) return undefined;
    return y ? 'norm' : s ? 'sum' : 'none';
  }

  /** All vectors that a block reads. */
  #vectors(norms: readonly Norm[], first: Layer, before?: Block): Slice[] {
    return [before?.last?.b, first.b, ...norms.flatMap(({ gamma, beta }) => [gamma, beta])].flatMap(
      (v) => v ?? [],
    );
  }

  /** Replaces a block and its norms by one node. */
  #fuse(block: Block, { norms, before }: Beginning): Node {
    const { first, attention, last } = block;
    const graph = this.#graph;
    const slices = this.#vectors(norms, first, before);
    const weights = span(last ? [first.w, last.w] : [first.w]) as Slice;
    const around = span(slices) ?? weights;
    const [matrices, vectors] = [inGraph(graph, weights), inGraph(graph, around)];
    const at = (slice: Slice | undefined, origin: Slice) => slice && slice.offset - origin.offset;
    const [norm, second] = norms;
    const kept = before ? this.#keeps(norms, first, last) : 'none';
    const keeps = kept === 'none' ? undefined : kept;
    const attrs: RowInputAttrs = {
      biasAt: at(before?.last?.b, around),
      gammaAt: at(norm?.gamma, around),
      betaAt: at(norm?.beta, around),
      eps: norm?.eps,
      gamma2At: at(second?.gamma, around),
      beta2At: at(second?.beta, around),
      eps2: second?.eps,
      ownAt: at(first.b, around),
      keeps,
    };
    const x = before ? (norm?.residual as Value) : (norm?.x ?? first.x);
    const inputs = { x, parts: before && this.#shares.get(before), vectors, matrices };
    const outputs = { kept: keeps === 'sum' ? norm?.s : keeps === 'norm' ? norm?.y : undefined };
    const old = [...norms.map(({ node }) => node), first.node, attention, last?.node].filter(
      (n) => n !== undefined,
    );
    const places = { inAt: at(first.w, weights) as number, outAt: at(last?.w, weights) as number };
    const self = applicationOf(attention, cachedSelfAttentionOp);
    const cross = applicationOf(attention, cachedCrossAttentionOp);
    if (!last) {
      const sizes = { vocab: first.w.shape[0] ?? 0, width: dim(first.y, -1) };
      const made = graph.replace(old, rowLogitsOp, inputs, { ...attrs, ...sizes }, { logits: first.y });
      return made.logits.node as Node;
    }
    const { shares } = self
      ? graph.replace(
          old,
          rowSelfAttentionOp,
          { ...inputs, cache: self.inputs.cache, slots: self.inputs.slots, step: self.inputs.step },
          { ...attrs, ...self.attrs, ...places },
          outputs,
        )
      : cross
        ? graph.replace(
            old,
            rowCrossAttentionOp,
            { ...inputs, kv: cross.inputs.kv, lens: cross.inputs.lens },
            { ...attrs, ...cross.attrs, ...places },
            outputs,
          )
        : graph.replace(
            old,
            rowFeedForwardOp,
            inputs,
            { ...attrs, ...places, hidden: first.w.shape[0] ?? 0, activation: first.activation },
            outputs,
          );
    this.#shares.set(block, shares);
    return shares.node as Node;
  }
}
