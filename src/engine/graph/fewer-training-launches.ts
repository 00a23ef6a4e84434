// Fuses nodes of a training step, so that it takes fewer dispatches: for devices on which a dispatch costs more than
// its work. The rewrites always apply; this applies only if it is faster on the device, or if a caller asks for it.

import { dim, matrixOf } from '../../core/tensor.ts';
import { defaultTraits } from '../ops/device-traits.ts';
import { keepsInput } from '../ops/elementwise/elementwise-ops.ts';
import { projectedLossOp } from '../ops/loss/projected-loss.ts';
import { linearOp } from '../ops/matmul/linear.ts';
import { addLayerNormOp, addRmsNormOp } from '../ops/norm/layer-norm.ts';
import type { Node, Value } from '../ops/op.ts';
import { applicationOf } from '../ops/op-nodes.ts';
import {
  fitsLinearAddNorm,
  fitsNextLayer,
  linearAddNormOp,
  type NextLayerAttrs,
} from '../ops/rows/linear-add-norm.ts';
import { wholeVectors } from '../ops/work-division.ts';
import type { Graph } from './graph.ts';
import { onlyReader } from './layer-rewrites.ts';
import { inGraph, type Slice, sliceOf, span } from './weight-slices.ts';

/** A linear layer whose weights are f32 slices. */
interface Layer {
  readonly node: Node;
  readonly x: Value;
  readonly y: Value;
  readonly step: Value | undefined;
  readonly w: Slice;
  readonly b: Slice | undefined;
  readonly attrs: NextLayerAttrs;
}

function layerOf(node: Node | undefined): Layer | undefined {
  const layer = applicationOf(node, linearOp);
  if (!layer || layer.attrs.padded || layer.inputs.x.dtype !== 'f32') return undefined;
  const { x, w: weights, b: bias, step } = layer.inputs;
  const { activation, rate = 0, site } = layer.attrs;
  const [w, b] = [sliceOf(weights), bias && sliceOf(bias)];
  if (!w || (bias && !b) || keepsInput(activation)) return undefined;
  const next = { nextColumns: dim(weights, 0), activation, nextRate: rate, nextSite: site };
  return { node: layer.node, x, y: layer.outputs.y, step, w, b, attrs: next };
}

/** A node that was fused, and the norm that it replaced. */
export interface FusedNorm {
  readonly node: Node;
  readonly norm: Node;
}

/**
 * Fuses each norm of a sum with the linear layers before and after it, whose weights are f32 slices: one dispatch
 * instead of three. `accepts`: which norms; default all.
 */
export function fuseLinearNorms(graph: Graph, accepts: (norm: Node) => boolean = () => true): FusedNorm[] {
  const users = graph.users();
  return graph.nodes.filter(accepts).flatMap((old) => {
    const layerNorm = applicationOf(old, addLayerNormOp);
    const norm = layerNorm ?? applicationOf(old, addRmsNormOp);
    const first = layerOf(norm?.inputs.x.node);
    if (!norm || !first || first.attrs.activation !== 'none' || first.attrs.nextRate) return [];
    const { x, residual, gamma } = norm.inputs;
    const D = dim(residual, -1);
    const isOwn = onlyReader(graph, users, x) === old && residual !== x;
    if (!isOwn || residual.dtype !== 'f32' || !fitsLinearAddNorm(D, dim(first.x, -1))) return [];
    const beta = layerNorm?.inputs.beta;
    const norms = [gamma, beta].map((v) => v && sliceOf(v));
    if ([gamma, beta].some((v, i) => v && !norms[i])) return [];
    // The fused node takes the place of the next layer, so nothing before that may read the other results.
    const readers = Object.values(norm.outputs).flatMap((v) => users.get(v) ?? []);
    const nearest = readers.reduce((at, node) => Math.min(at, graph.nodes.indexOf(node)), graph.nodes.length);
    const after = [layerOf(graph.nodes[nearest])];
    const spans = (second: Layer | undefined) => [
      span([first.w, second?.w].flatMap((slice) => slice ?? [])),
      span([first.b, second?.b, ...norms].flatMap((slice) => slice ?? [])),
    ];
    const fitting = after.find(
      (layer) =>
        layer?.x === norm.outputs.y &&
        fitsNextLayer(D, dim(layer.y, -1)) &&
        spans(layer).every((around) => around),
    );
    const [matrices, vectors] = spans(fitting);
    if (!matrices || !vectors) return [];
    const at = (slice: Slice | undefined, around: Slice) => slice && slice.offset - around.offset;
    const next = fitting && {
      ...fitting.attrs,
      nextAt: at(fitting.w, matrices),
      nextBiasAt: at(fitting.b, vectors),
    };
    const fused = graph.replace(
      [first.node, old, ...(fitting ? [fitting.node] : [])],
      linearAddNormOp,
      {
        x: first.x,
        matrices: inGraph(graph, matrices),
        vectors: inGraph(graph, vectors),
        residual,
        step: norm.inputs.step ?? fitting?.step,
      },
      {
        ...norm.attrs,
        at: at(first.w, matrices) as number,
        biasAt: at(first.b, vectors),
        gammaAt: at(norms[0], vectors) as number,
        betaAt: at(norms[1], vectors),
        ...next,
      },
      { ...norm.outputs, next: fitting?.y },
    );
    return [{ node: fused.y.node as Node, norm: old }];
  });
}

/** Makes each loss in chunks one chunk, if its logits fit a binding. */
export function joinLossChunks(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    const loss = applicationOf(node, projectedLossOp);
    if (!loss) continue;
    const { rows } = matrixOf(loss.inputs.x.shape);
    const bytes = 4 * rows * wholeVectors(dim(loss.inputs.w, 0));
    if (loss.attrs.rows >= rows || bytes > defaultTraits.maxBindingBytes) continue;
    const attrs = { ...loss.attrs, rows: 64 * Math.ceil(rows / 64) };
    graph.replace([node], projectedLossOp, loss.inputs, attrs, loss.outputs);
  }
}
