// The kernels that `heddle bench` and the kernel lab check and time, at fixed sizes so that results can be compared.

import type { KernelCase } from './kernel-case.ts';
import { type FamilyName, kernelOf } from './kernel-families.ts';

const make = (family: FamilyName, values: Readonly<Record<string, number | string>> = {}): KernelCase =>
  kernelOf({ family, values });

const matmul = (M: number, K: number, N: number, form = 'NN') => make('matmul', { M, K, N, form });
const linear = (rows: number, inputs: number, outputs: number, dtype = 'f32', pass = 'forward') =>
  make('linear', { rows, inputs, outputs, dtype, pass });
const attention = (batch: number, length: number, heads: number, width: number, mask = 'causal') =>
  ['forward', 'backward'].map((pass) => make('attention', { batch, length, heads, width, pass, mask }));

/** The kernels that only training uses, at one size of buffers, rows and columns. */
const trainingKernels = (buffer: number, rows: number, width: number): readonly KernelCase[] => {
  const gated = { rows, width: 2 * width, kind: 'gated gelu-tanh' };
  return [
    ...['AdamW', 'Adam', 'RMSprop', 'SGD'].map((kind) => make('optimizer', { kind, size: buffer })),
    ...['accumulate', 'average', 'gradient norm', 'gradient scale', 'check finite'].map((kind) =>
      make('buffers', { kind, size: buffer }),
    ),
    make('elementwise', { rows, width, kind: 'add' }),
    make('log of mean', { rows, width }),
    ...['forward', 'backward', 'fused'].map((pass) => make('RMS norm', { rows, width, pass })),
    make('activation', gated),
    make('activation', { ...gated, pass: 'backward' }),
    make('token positions', { batch: rows / 64, length: width / 4 }),
    make('elementwise', { rows, width, kind: 'dropout' }),
    ...['forward', 'backward'].map((pass) => make('activation', { rows, width, pass })),
    make('column sums', { rows: rows / 32, width }),
    make('norm sums', { rows: rows / 32, width }),
    make('positions', { batch: rows / 128, length: 64, width }),
    make('token statistics', { tokens: rows / 2 }),
  ];
};

/** The kernels of a decoding step. */
const decodingKernels = (
  step: { readonly rows: number; readonly beams: number; readonly length: number },
  heads: { readonly heads: number; readonly width: number },
  vocab: number,
): readonly KernelCase[] => [
  ...['self-attention', 'cross-attention'].map((kind) => make('cached attention', { ...step, ...heads, kind })),
  ...['greedy token', 'best tokens', 'sampled token'].map((kind) => make('next token', { ...step, kind, vocab })),
  make('beam select', { rows: step.rows, beams: step.beams }),
  make('cache slots', step),
  make('take rows', { rows: step.rows, width: step.length * heads.heads * heads.width }),
];

/** The kernels that save memory, for layers with these numbers of inputs and outputs. */
const packedKernels = (
  rows: number,
  inputs: number,
  outputs: number,
  vocab: number,
  buffer: number,
): readonly KernelCase[] => [
  linear(rows / 8, inputs, outputs, 'f16 weights'),
  linear(rows, inputs, outputs, 'f16'),
  linear(rows, inputs, outputs, 'f16', 'backward'),
  linear(rows / 8, inputs, outputs, 'int8 weights'),
  linear(1, inputs, vocab, 'int8 weights'),
  linear(rows, inputs, outputs, 'f16 weights', 'backward'),
  linear(rows, inputs, outputs, 'int8 weights', 'backward'),
  ...['f16', 'int8'].map((dtype) => make('embedding', { batch: 8, length: rows / 8, vocab, width: inputs, dtype })),
  make('projected loss', { rows: rows / 2, width: inputs / 2, vocab }),
  ...['add', 'take'].map((kind) => make('columns', { rows: 2 * rows, width: 3 * inputs, count: inputs, kind })),
  make('buffers', { kind: 'cast to f16', size: buffer }),
  make('loss scale'),
];

/** All kernels, in the order of the report. */
export const kernelCases: readonly KernelCase[] = [
  matmul(256, 256, 256),
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(768, 256, 1024),
  linear(768, 256, 1024),
  linear(768, 256, 1024, 'f32', 'backward'),
  matmul(512, 256, 8000),
  matmul(512, 8000, 256, 'NT'),
  matmul(256, 512, 8000, 'TN'),
  ...[32, 128, 512].flatMap((length) => attention(4, length, 8, 32)),
  ...[64, 128].flatMap((width) => attention(1, 64, 2, width)),
  ...attention(4, 128, 8, 64, 'position bias'),
  ...['forward', 'backward'].map((pass) => make('position bias', { pass })),
  ...['forward', 'backward', 'probabilities'].map((pass) => make('cross-attention', { pass })),
  ...['forward', 'backward', 'add, dropout, norm'].map((pass) => make('layer norm', { pass })),
  ...['forward', 'backward'].map((pass) => make('softmax', { rows: 4096, width: 512, pass })),
  ...['forward', 'backward'].map((pass) => make('embedding', { pass })),
  ...['train', 'loss', 'backward'].map((pass) => make('cross-entropy', { pass })),
  ...trainingKernels(10_000_000, 4096, 512),
  ...decodingKernels({ rows: 64, beams: 4, length: 64 }, { heads: 8, width: 32 }, 8000),
  ...packedKernels(512, 512, 2048, 8000, 10_000_000),
];

/** Some kernels of each group at small sizes, for slow adapters. */
export const smallKernelCases: readonly KernelCase[] = [
  matmul(64, 64, 64),
  linear(64, 64, 128),
  make('attention', { batch: 1, length: 32, heads: 2, width: 16 }),
  make('layer norm', { rows: 64, width: 128 }),
  make('layer norm', { rows: 64, width: 128, pass: 'backward' }),
  make('softmax', { rows: 256, width: 128 }),
  make('embedding', { batch: 4, length: 16, vocab: 500, width: 64, pass: 'backward' }),
  make('cross-entropy', { rows: 32, vocab: 500 }),
  make('optimizer', { size: 20_000 }),
  make('elementwise', { rows: 64, width: 64 }),
  make('buffers', { kind: 'gradient norm', size: 20_000 }),
  make('cached attention', { rows: 8, beams: 2, length: 16, heads: 2, width: 16 }),
  make('next token', { rows: 8, beams: 2, length: 16, vocab: 211 }),
];

/** Every op of `kernelCases` at small sizes: rows of whole vectors, and other rows (scalar kernels). */
export const conformanceKernelCases: readonly KernelCase[] = [
  matmul(64, 64, 64),
  matmul(33, 37, 41),
  matmul(64, 80, 96, 'NT'),
  matmul(64, 80, 96, 'TN'),
  linear(64, 64, 128),
  linear(64, 64, 128, 'f32', 'backward'),
  ...[16, 64].flatMap((width) => attention(1, 32, 2, width)),
  ...attention(1, 32, 2, 16, 'position bias'),
  ...['forward', 'backward'].map((pass) => make('position bias', { pass })),
  ...['forward', 'backward', 'probabilities'].map((pass) =>
    make('cross-attention', { batch: 1, queries: 16, keys: 24, heads: 2, width: 16, pass }),
  ),
  ...[128, 130].flatMap((width) =>
    ['forward', 'backward'].map((pass) => make('layer norm', { rows: 64, width, pass })),
  ),
  make('layer norm', { rows: 64, width: 128, pass: 'add, dropout, norm' }),
  ...['forward', 'backward'].map((pass) => make('softmax', { rows: 256, width: 128, pass })),
  ...['forward', 'backward'].map((pass) => make('embedding', { batch: 4, length: 16, vocab: 500, width: 64, pass })),
  ...['train', 'loss', 'backward'].map((pass) => make('cross-entropy', { rows: 32, vocab: 500, pass })),
  ...trainingKernels(20_000, 256, 64),
  ...decodingKernels({ rows: 8, beams: 2, length: 16 }, { heads: 2, width: 16 }, 211),
  ...packedKernels(64, 64, 128, 500, 20_000),
];
