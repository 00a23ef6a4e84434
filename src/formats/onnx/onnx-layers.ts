// Norms, linear layers and the feed-forward network as ONNX operators.

import { type Builder, matrix, vector } from './onnx-builder.ts';
import type { Name } from './onnx-graph.ts';

/** A residual connection: LN(x + f(x)) (post-norm) or x + f(LN(x)) (pre-norm). */
export function residual(b: Builder, normName: string, x: Name, f: (x: Name) => Name): Name {
  if (b.config.norm === 'pre') return b.graph.op('Add', [x, f(norm(b, normName, x))]);
  return norm(b, normName, b.graph.op('Add', [x, f(x)]));
}

/** The feed-forward network: [B, T, D] -> [B, T, D]. */
export function feedForward(b: Builder, layer: string, x: Name): Name {
  const h = project(b, `${layer}.linear1.`, x); // [B, T, F], or [B, T, 2F] if it is gated
  if (b.config.feedForwardType === 'plain') return project(b, `${layer}.linear2.`, activation(b, h));
  const [a = '', gate = ''] = b.graph.ops('Split', [h], 2, { axis: 2 });
  return project(b, `${layer}.linear2.`, b.graph.op('Mul', [activation(b, a), gate]));
}

function activation({ graph: g, config }: Builder, x: Name): Name {
  const half = (y: Name) => g.op('Mul', [g.op('Mul', [x, g.scalar(0.5)]), g.op('Add', [y, g.scalar(1)])]); // x/2 · (1 + y)
  switch (config.activation) {
    case 'relu':
      return g.op('Relu', [x]);
    case 'silu':
      return g.op('Mul', [x, g.op('Sigmoid', [x])]);
    case 'gelu':
      return half(g.op('Erf', [g.op('Mul', [x, g.scalar(Math.SQRT1_2)])]));
    case 'gelu-tanh': {
      const cube = g.op('Mul', [g.op('Mul', [x, x]), g.op('Mul', [x, g.scalar(0.044715)])]);
      return half(g.op('Tanh', [g.op('Mul', [g.op('Add', [x, cube]), g.scalar(Math.sqrt(2 / Math.PI))])]));
    }
  }
}

/** LayerNorm or RMSNorm over the last axis. */
export function norm(b: Builder, name: string, x: Name): Name {
  const { graph: g, config: c } = b;
  const gamma = vector(b, `${name}.weight`);
  if (c.normType === 'layer') {
    const attributes = { axis: -1, epsilon: { float: c.layerNormEps } };
    return g.op('LayerNormalization', [x, gamma, vector(b, `${name}.bias`)], attributes);
  }
  const square = g.op('ReduceMean', [g.op('Mul', [x, x])], { axes: [-1], keepdims: 1 });
  const root = g.op('Sqrt', [g.op('Add', [square, g.scalar(c.layerNormEps)])]);
  return g.op('Mul', [g.op('Div', [x, root]), gamma]);
}

/** A linear layer, x · weightᵀ + bias if the model has one: [.., in] -> [.., out]. */
export const project = (b: Builder, prefix: string, x: Name): Name =>
  multiply(b, x, matrix(b, `${prefix}weight`), `${prefix}bias`);

/** x · w, plus the parameter `bias` if the model has it. */
export function multiply(b: Builder, x: Name, w: Name, bias: string): Name {
  const product = b.graph.op('MatMul', [x, w]);
  return b.parameters.byName.has(bias) ? b.graph.op('Add', [product, vector(b, bias)]) : product;
}
