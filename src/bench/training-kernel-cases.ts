// Kernels of training, at any sizes: optimizers, clipping, sums, dropout, activations.

import { columnSum, normSumsOp } from '../ops/elementwise/column-sum.ts';
import { type Activation, activation, add, dropout } from '../ops/elementwise/elementwise-ops.ts';
import { gatedActivation } from '../ops/elementwise/gated-activation.ts';
import { logMean } from '../ops/elementwise/log-mean.ts';
import { positionBackwardOp } from '../ops/embedding/embedding-backward.ts';
import { tokenPositions } from '../ops/embedding/token-positions.ts';
import { tokenStats } from '../ops/loss/cross-entropy.ts';
import { addRmsNormOp, rmsNorm } from '../ops/norm/rms-norm.ts';
import { accumulate, ema } from '../ops/optimizer/buffer-sums.ts';
import { checkFiniteOp } from '../ops/optimizer/check-finite.ts';
import { clipScaleOp, counterLength, gradientNormOp } from '../ops/optimizer/clip.ts';
import { adam as adamUpdate, adamw, rmsprop, sgd } from '../ops/optimizer/optimizers.ts';
import { backward, input, type KernelCase, spaced, step } from './kernel-case.ts';

/** States of an optimizer besides weights and gradients. */
export const optimizers = { AdamW: ['m', 'v'], Adam: ['m', 'v'], RMSprop: ['v'], SGD: ['m'] } as const;

/** Optimizer update of `size` weights. */
export function update(name: keyof typeof optimizers, size: number): KernelCase {
  return {
    name: `${name} [${spaced(size)}]`,
    group: 'elements',
    build(g) {
      const state = (n: string) => g.state(n, 'f32', [size]);
      const common = { weights: state('weights'), gradients: state('gradients') };
      const moments = Object.fromEntries(optimizers[name].map((n) => [n, state(n)])) as Record<'m' | 'v', never>;
      const clip = input(g, 'clip', [4]);
      const decay = { weightDecay: 0.01, decayEnd: size };
      if (name === 'RMSprop')
        return rmsprop(g, { ...common, ...moments, clip, step: step(g) }, { rho: 0.9, eps: 1e-7 });
      if (name === 'SGD') return sgd(g, { ...common, ...moments, clip, step: step(g) }, { momentum: 0.9, ...decay });
      const inputs = {
        ...common,
        ...moments,
        clip,
        counters: g.state('counters', 'f32', [counterLength]),
        step: step(g),
      };
      (name === 'Adam' ? adamUpdate : adamw)(g, inputs, { beta1: 0.9, beta2: 0.98, eps: 1e-9, ...decay });
    },
    // The second moment is not negative; the clip factor is 1; the bias corrections are those of the first step.
    data(what, length) {
      if (what === 'v') return Float32Array.from({ length }, (_, i) => (i % 97) / 97);
      if (what === 'clip') return [1, 1, 1, 0];
      return what === 'counters' ? [1, 0, 0.1, 0.02, 0, 0, 0, 0] : undefined;
    },
  };
}

/** Sum over a parameter buffer: gradient accumulation, or the moving average of the weights. */
export const bufferSum = (kind: 'accumulate' | 'average', size: number): KernelCase => ({
  name: `${kind} [${spaced(size)}]`,
  group: 'elements',
  build(g) {
    const [sum, x] = [g.state('sum', 'f32', [size]), g.state('x', 'f32', [size])];
    if (kind === 'average') ema(g, sum, x, 0.999);
    else accumulate(g, sum, x, step(g));
  },
  step: { keep: 1 },
});

/** Gradient clipping: the partial sums of the norm, or the factor. */
export const clipping = (part: 'norm' | 'scale', size: number): KernelCase => ({
  name: `gradient ${part} [${spaced(size)}]`,
  group: 'elements',
  build(g) {
    const { partials } = g.apply(gradientNormOp, { gradients: g.state('gradients', 'f32', [size]) });
    if (part === 'norm') return;
    const attrs = { maxNorm: 1, beta1: 0.9, beta2: 0.98 };
    g.apply(clipScaleOp, { partials, counters: g.state('counters', 'f32', [counterLength]) }, attrs);
  },
  data: (name, length) => (name === 'counters' ? new Float32Array(length) : undefined),
});

/** Check of a parameter buffer for numbers that are not finite. */
export const finite = (size: number): KernelCase => ({
  name: `check finite [${spaced(size)}]`,
  group: 'elements',
  build: (g) =>
    void g.apply(
      checkFiniteOp,
      { x: g.state('x', 'f32', [size]), flags: g.state('flags', 'u32', [1]) },
      { slot: 0, first: true },
    ),
});

/** An elementwise kernel. */
const elements = (name: string, rows: number, D: number, build: KernelCase['build'], op?: string): KernelCase => ({
  name: `${name} [${rows},${D}]`,
  group: 'elements',
  build,
  ...(op && { op }),
});

/** An activation function. */
export const activated = (kind: Activation, rows: number, D: number, back: boolean): KernelCase =>
  elements(
    `${kind}${back ? ' backward' : ''}`,
    rows,
    D,
    (g) => {
      const x = input(g, 'x', [rows, D]);
      const y = activation(g, x, kind);
      if (back) backward(g, y, [x]);
    },
    back ? 'activation_backward' : 'activation',
  );

/** RMSNorm; `fused`: after a residual connection with dropout. */
export const rms = (rows: number, D: number, kind: 'forward' | 'backward' | 'fused'): KernelCase => ({
  name: `${{ forward: 'RMS norm', backward: 'RMS norm backward', fused: 'add, dropout, RMS norm' }[kind]} [${rows},${D}]`,
  group: 'rows',
  build(g) {
    const [x, gamma] = [input(g, 'x', [rows, D]), input(g, 'gamma', [D])];
    if (kind === 'fused') {
      const inputs = { x, residual: input(g, 'residual', [rows, D]), gamma, step: step(g) };
      return void g.apply(addRmsNormOp, inputs, { eps: 1e-6, rate: 0.1, site: 1 });
    }
    const y = rmsNorm(g, x, gamma, 1e-6);
    if (kind === 'backward') backward(g, y, [x]);
  },
  ...(kind === 'backward' && { op: 'rms_norm_backward' }),
});

/** A gated activation, as in T5. */
export const gated = (rows: number, F: number, back: boolean): KernelCase =>
  elements(
    `gated gelu-tanh${back ? ' backward' : ''}`,
    rows,
    F,
    (g) => {
      const x = input(g, 'x', [rows, 2 * F]);
      const y = gatedActivation(g, x, 'gelu-tanh');
      if (back) backward(g, y, [x]);
    },
    back ? 'gated_activation_backward' : 'gated_activation',
  );

/** Positions of tokens without padding, as in RoBERTa. */
export const counted = (B: number, T: number): KernelCase => ({
  name: `token positions [${B},${T}]`,
  group: 'rows',
  build: (g) => void tokenPositions(g, g.input('ids', 'i32', [B, T]), { padId: 1 }),
});

/** Sums over rows, for example of the partial sums of a bias gradient. */
export const columnSums = (rows: number, D: number): KernelCase => ({
  name: `column sums [${rows},${D}]`,
  group: 'rows',
  build: (g) => void columnSum(g, input(g, 'partials', [rows, D]), 2),
});

/** Sums of the partial gradients of `count` norms. */
export const normSums = (count: number, rows: number, D: number): KernelCase => ({
  name: `norm gradients' sums ${count}x[${rows},${D}]`,
  group: 'rows',
  build(g) {
    const stride = rows * 2 * D;
    const partials = g.state('partials', 'f32', [count * stride]);
    g.apply(normSumsOp, { partials }, { count, rows, cols: D, stride });
  },
});

/** Gradient of learned positions. */
export const positions = (B: number, T: number, D: number): KernelCase => ({
  name: `positions backward [${B},${T},${D}]`,
  group: 'rows',
  build: (g) =>
    void g.apply(positionBackwardOp, { dy: input(g, 'dy', [B, T, D]) }, { rows: T, offset: 0, rate: 0, site: 0 }),
});

/** Loss and accuracy of a batch. */
export const stats = (tokens: number): KernelCase => ({
  name: `token statistics [${tokens}]`,
  group: 'rows',
  build: (g) =>
    void tokenStats(g, input(g, 'nll', [tokens]), input(g, 'hit', [tokens]), g.input('targets', 'i32', [tokens]), {
      ignore: 0,
    }),
  data: (name, length) => (name === 'targets' ? Int32Array.from({ length }, (_, i) => 1 + (i % 7)) : undefined),
});

/** Elementwise sum. */
export const sum = (rows: number, D: number) =>
  elements('add', rows, D, (g) => void add(g, input(g, 'a', [rows, D]), input(g, 'b', [rows, D])));

/** Logarithm of the mean of two distributions. */
export const logOfMean = (rows: number, D: number) =>
  elements('log of mean', rows, D, (g) => void logMean(g, input(g, 'x', [rows, D]), 2));

/** Dropout. */
export const dropped = (rows: number, D: number) =>
  elements('dropout', rows, D, (g) => void dropout(g, input(g, 'x', [rows, D]), step(g), { rate: 0.1, site: 3 }));
