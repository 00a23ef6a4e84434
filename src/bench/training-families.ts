// Kernel families of training: optimizers, parameter buffers, elementwise kernels, sums, positions, LoRA.

import { castWeightsOp } from '../engine/ops/elementwise/cast-weights.ts';
import { columnSum, normSumsOp } from '../engine/ops/elementwise/column-sum.ts';
import { addColumns, takeColumns } from '../engine/ops/elementwise/columns.ts';
import { activation, add, dropout, logMean } from '../engine/ops/elementwise/elementwise-ops.ts';
import { gatedActivation } from '../engine/ops/elementwise/gated-activation.ts';
import { joinColumns } from '../engine/ops/elementwise/join-columns.ts';
import { roundWeightsOp } from '../engine/ops/elementwise/round-weights.ts';
import { positionBackwardOp } from '../engine/ops/embedding/embedding-backward.ts';
import { tokenPositions } from '../engine/ops/embedding/token-positions.ts';
import { tokenStats } from '../engine/ops/loss/cross-entropy.ts';
import { accumulate, difference, ema } from '../engine/ops/optimizer/buffer-sums.ts';
import { checkFiniteOp } from '../engine/ops/optimizer/check-finite.ts';
import { clipScaleOp, counterLength, gradientNormOp, scaleStep } from '../engine/ops/optimizer/clip.ts';
import {
  optimizerAttrs,
  optimizerConfig,
  optimizerNames,
  optimizers,
} from '../train/update/optimizer-config.ts';
import { backward, input, step } from './kernel-case.ts';
import { choice, family, named, pass, rows, size, spaced, storage } from './kernel-family.ts';

const weights = size('Weights', 10_000_000, 2 ** 28);
const width = size('Columns', 512);

/** The optimizers as reports name them. */
export const optimizerLabels = optimizerNames.map((name) => optimizers[name].label);

/** Families of training. */
export const trainingFamilies = {
  optimizer: family({
    label: 'Optimizer',
    group: 'elements',
    fields: { kind: choice('Optimizer', ...optimizerLabels), size: weights },
    make: ({ kind, size }) => ({
      name: `${kind} [${spaced(size)}]`,
      build(g) {
        const optimizer = optimizerNames.find((name) => optimizers[name].label === kind) ?? 'adamw';
        const { op } = optimizers[optimizer];
        const state = (name: string, length = size) => g.state(name, 'f32', [length]);
        const inputs = {
          weights: state('weights'),
          gradients: state('gradients'),
          ...Object.fromEntries(op.moments.map((name) => [name, state(name)])),
          clip: input(g, 'clip', [4]),
          counters: op.corrected ? state('counters', counterLength) : undefined,
          step: step(g),
        };
        g.apply(op, inputs, optimizerAttrs(optimizerConfig({ kind: optimizer, weightDecay: 0.01 }), size));
      },
      // The second moment is not negative; the clip factor is 1; the bias corrections are those of the first
      // step.
      data: () => ({ v: (i) => (i % 97) / 97, clip: [1, 1, 1, 0], counters: [1, 0, 0.1, 0.02, 0, 0, 0, 0] }),
    }),
  }),
  buffers: family({
    label: 'Parameter buffers',
    group: 'elements',
    fields: {
      kind: choice(
        'Operation',
        'accumulate',
        'difference',
        'average',
        'gradient norm',
        'gradient scale',
        'check finite',
        'cast to f16',
        'round to 8 bits',
      ),
      size: weights,
    },
    make: ({ kind, size }) => ({
      name: `${kind === 'cast to f16' ? 'weights to f16' : kind} [${spaced(size)}]`,
      build(g) {
        const buffer = (name: string) => g.state(name, 'f32', [size]);
        if (kind === 'accumulate') return accumulate(g, buffer('sum'), buffer('x'), step(g));
        if (kind === 'difference') return difference(g, buffer('sum'), buffer('x'));
        if (kind === 'average') return ema(g, buffer('sum'), buffer('x'), 0.999);
        if (kind === 'check finite') {
          const inputs = { x: buffer('x'), flags: g.state('flags', 'u32', [1]) };
          return void g.apply(checkFiniteOp, inputs, { slot: 0, first: true });
        }
        if (kind === 'cast to f16') {
          const inputs = { weights: buffer('weights'), copies: g.state('copies', 'f16', [size]) };
          return void g.apply(castWeightsOp, inputs);
        }
        if (kind === 'round to 8 bits') {
          const inputs = { weights: buffer('weights'), copies: buffer('copies') };
          return void g.apply(roundWeightsOp, inputs, { parts: 1 });
        }
        const { partials } = g.apply(gradientNormOp, { gradients: buffer('gradients') });
        if (kind === 'gradient norm') return;
        const inputs = { partials, counters: g.state('counters', 'f32', [counterLength]) };
        g.apply(clipScaleOp, inputs, { maxNorm: 1, beta1: 0.9, beta2: 0.98 });
      },
      data: () => ({ counters: () => 0 }),
      step: kind === 'accumulate' || kind === 'average' ? { keep: 1 } : undefined,
      bytes: kind === 'cast to f16' ? 6 * size : undefined,
      needs: kind === 'cast to f16' ? 'f16' : undefined,
    }),
  }),
  'loss scale': family({
    label: 'Loss scale',
    group: 'elements',
    fields: {},
    make: () => ({
      name: 'scale of the loss',
      build: (g) => void scaleStep(g, step(g), g.state('counters', 'f32', [counterLength])),
      data: () => ({ counters: () => 4 }),
    }),
  }),
  elementwise: family({
    label: 'Elementwise',
    group: 'elements',
    fields: {
      kind: choice('Operation', 'add', 'dropout'),
      rows,
      width,
      dtype: storage,
    },
    make: ({ kind, rows, width }) => ({
      name: `${kind} [${rows},${width}]`,
      build(g) {
        const x = (name: string) => input(g, name, [rows, width]);
        if (kind === 'add') add(g, x('a'), x('b'));
        else dropout(g, input(g, 'x', [rows, width]), step(g), { rate: 0.1, site: 3 });
      },
    }),
  }),
  'log of mean': family({
    label: 'Log of a mean',
    group: 'elements',
    fields: { rows: size('Rows', 4096, 1_000_000, 2), width },
    make: ({ rows, width }) => ({
      name: `log of mean [${rows},${width}]`,
      build: (g) => void logMean(g, input(g, 'x', [rows, width]), 2),
    }),
  }),
  activation: family({
    label: 'Activation',
    group: 'elements',
    fields: {
      kind: choice('Function', 'gelu', 'relu', 'silu', 'gelu-tanh', 'quick-gelu', 'gated gelu-tanh'),
      rows,
      width,
      pass,
      dtype: storage,
    },
    make: ({ kind, rows, width, pass }) => ({
      name: `${named(kind, pass)} [${rows},${width}]`,
      build(g) {
        const gated = kind === 'gated gelu-tanh';
        const x = input(g, 'x', [rows, gated ? 2 * width : width]);
        const y = gated ? gatedActivation(g, x, 'gelu-tanh') : activation(g, x, kind);
        if (pass === 'backward') backward(g, y, [x]);
      },
      op: `${kind === 'gated gelu-tanh' ? 'gated_' : ''}activation${pass === 'backward' ? '_backward' : ''}`,
    }),
  }),
  // Sums over rows, for example of the partial sums of a bias gradient.
  'column sums': family({
    label: 'Column sums',
    group: 'rows',
    fields: { rows: size('Rows', 128), width: size('Columns', 512, 65_536, 2) },
    make: ({ rows, width }) => ({
      name: `column sums [${rows},${width}]`,
      build: (g) => void columnSum(g, input(g, 'partials', [rows, width]), 2),
    }),
  }),
  // Sums of the partial gradients of `count` norms.
  'norm sums': family({
    label: 'Sums of norm gradients',
    group: 'rows',
    fields: { count: size('Norms', 12, 256), rows: size('Rows', 128), width: size('Width', 512) },
    make: ({ count, rows, width }) => ({
      name: `norm gradients' sums ${count}x[${rows},${width}]`,
      build(g) {
        const stride = rows * 2 * width;
        const partials = g.state('partials', 'f32', [count * stride]);
        g.apply(normSumsOp, { partials }, { count, rows, cols: width, stride });
      },
    }),
  }),
  // Columns of a LoRA adapter: added to the columns of a layer, or extracted for the gradient.
  columns: family({
    label: 'LoRA columns',
    group: 'elements',
    fields: {
      kind: choice('Operation', 'add', 'take', 'join'),
      rows,
      width: size('Columns', 1536),
      count: size('Of the LoRA adapter', 512),
    },
    make: ({ kind, rows, width, count }) => ({
      name: `${kind} columns [${rows},${count}] of [${rows},${width}]`,
      build(g) {
        const u = () => input(g, 'u', [rows, count]);
        if (kind === 'join') return void joinColumns(g, input(g, 'a', [rows, width - count]), u());
        const x = input(g, 'x', [rows, width]);
        const attrs = { first: width - count, scale: 0.5 };
        if (kind === 'take') takeColumns(g, x, { ...attrs, count });
        else addColumns(g, x, u(), attrs);
      },
      bytes: kind === 'take' ? 8 * rows * count : undefined,
    }),
  }),
  // Gradient of learned positions.
  positions: family({
    label: 'Gradient of positions',
    group: 'rows',
    fields: {
      batch: size('Sentences', 32, 4096),
      length: size('Length', 64, 8192),
      width: size('Width', 512, 8192),
    },
    make: ({ batch, length, width }) => ({
      name: `positions backward [${batch},${length},${width}]`,
      build(g) {
        const dy = input(g, 'dy', [batch, length, width]);
        g.apply(positionBackwardOp, { dy }, { rows: length, offset: 0, rate: 0, site: 0 });
      },
    }),
  }),
  // Positions of tokens without padding, as in RoBERTa.
  'token positions': family({
    label: 'Token positions',
    group: 'rows',
    fields: { batch: size('Sentences', 64, 4096), length: size('Length', 128, 8192) },
    make: ({ batch, length }) => ({
      name: `token positions [${batch},${length}]`,
      build: (g) => void tokenPositions(g, g.input('ids', 'i32', [batch, length]), { padId: 1 }),
    }),
  }),
  // Loss and accuracy of a batch.
  'token statistics': family({
    label: 'Token statistics',
    group: 'rows',
    fields: { tokens: size('Tokens', 2048, 1_000_000) },
    make: ({ tokens }) => ({
      name: `token statistics [${tokens}]`,
      build(g) {
        const [nll, hit] = [input(g, 'nll', [tokens]), input(g, 'hit', [tokens])];
        tokenStats(g, nll, hit, g.input('targets', 'i32', [tokens]), { ignore: 0 });
      },
      data: () => ({ targets: (i) => 1 + (i % 7) }),
    }),
  }),
};
