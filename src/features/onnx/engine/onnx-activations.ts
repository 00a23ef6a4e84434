// The activations of src/engine/ops/elementwise/ as ONNX operators.

import type { Activation } from '../../../engine/ops/elementwise/elementwise-ops.ts';
import type { Name, OnnxOps } from './onnx-graph.ts';

const activations: Readonly<Record<Activation, (g: OnnxOps, x: Name) => Name>> = {
  none: (_g, x) => x,
  relu: (g, x) => g.op('Relu', [x]),
  silu: (g, x) => g.op('Mul', [x, g.op('Sigmoid', [x])]),
  gelu: (g, x) => gelu(g, x, g.op('Erf', [g.op('Mul', [x, g.scalar(Math.SQRT1_2)])])),
  'gelu-tanh': (g, x) => {
    const cube = g.op('Mul', [g.op('Mul', [x, x]), g.op('Mul', [x, g.scalar(0.044715)])]);
    const inner = g.op('Mul', [g.op('Add', [x, cube]), g.scalar(Math.sqrt(2 / Math.PI))]);
    return gelu(g, x, g.op('Tanh', [inner]));
  },
  'quick-gelu': (g, x) => g.op('Mul', [x, g.op('Sigmoid', [g.op('Mul', [x, g.scalar(1.702)])])]),
};

/** x/2 · (1 + y). */
const gelu = (g: OnnxOps, x: Name, y: Name): Name =>
  g.op('Mul', [g.op('Mul', [x, g.scalar(0.5)]), g.op('Add', [y, g.scalar(1)])]);

/** Adds an activation of `x` to a graph; x itself if the kind is none. */
export const onnxActivation = (g: OnnxOps, kind: Activation, x: Name): Name => activations[kind](g, x);
