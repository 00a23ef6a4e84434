// The kernels that `heddle bench` and the kernel lab check and time, at fixed sizes so that results can be
// compared.

import { exampleNames } from './example-families.ts';
import { guestBenches } from './guest-benches.ts';
import type { KernelCase } from './kernel-case.ts';
import { type FamilyName, kernelOf } from './kernel-families.ts';
import type { KernelList, KernelSizes } from './kernel-sizes.ts';
import { optimizerLabels } from './training-families.ts';

type Value = number | string;

/** Kernels of a family: one for each combination of values, of which any may be a list. */
const cases = (family: FamilyName, values: KernelList[1] = {}): KernelCase[] => casesOf(family, values);

function casesOf(family: string, values: KernelList[1]): KernelCase[] {
  let all: Record<string, Value>[] = [{}];
  for (const [name, value] of Object.entries(values))
    all = all.flatMap((others) => [value].flat().map((one) => ({ ...others, [name]: one })));
  return all.map((one) => kernelOf({ family, values: one }));
}

const matmul = (M: number, K: number, N: number, form: Value = 'NN') => cases('matmul', { M, K, N, form });

const passes = ['forward', 'backward'];

/** The kernels that only training uses, at one size of buffers, rows and columns. */
const trainingKernels = (buffer: number, rows: number, width: number): readonly KernelCase[] => [
  ...cases('optimizer', { kind: optimizerLabels, size: buffer }),
  ...cases('buffers', {
    kind: ['accumulate', 'difference', 'average', 'gradient norm', 'gradient scale', 'check finite'],
    size: buffer,
  }),
  ...cases('elementwise', { rows, width, kind: 'add' }),
  ...cases('op', { op: exampleNames, rows, width }),
  ...cases('log of mean', { rows, width }),
  ...cases('RMS norm', { rows, width, pass: [...passes, 'fused'] }),
  ...cases('activation', { rows, width: 2 * width, kind: 'gated gelu-tanh', pass: passes }),
  ...cases('token positions', { batch: rows / 64, length: width / 4 }),
  ...cases('elementwise', { rows, width, kind: 'dropout' }),
  ...cases('activation', { rows, width, pass: passes }),
  ...cases('column sums', { rows: rows / 32, width }),
  ...cases('norm sums', { rows: rows / 32, width }),
  ...cases('linear and norm', {
    rows: rows / 4,
    inputs: width,
    width: width / 2,
    next: 2 * width,
    dropout: 'yes',
  }),
  ...cases('positions', { batch: rows / 128, length: 64, width }),
  ...cases('token statistics', { tokens: rows / 2 }),
  ...cases('SSRU', { batch: rows / 64, length: 64, width, pass: passes }),
];

/** The kernels of a decoding step. */
const decodingKernels = (
  step: { readonly rows: number; readonly beams: number; readonly length: number },
  heads: { readonly heads: number; readonly width: number },
  vocab: number,
): readonly KernelCase[] => [
  ...cases('cached attention', {
    ...step,
    ...heads,
    kind: ['self-attention', 'cross-attention'],
    dtype: ['f32', 'f16'],
  }),
  ...cases('pack as f16', { rows: step.rows, width: 2 * heads.heads * heads.width }),
  ...cases('next token', { ...step, kind: ['greedy token', 'best tokens', 'sampled token'], vocab }),
  ...cases('repetition penalty', {
    rows: step.rows,
    length: step.length,
    vocab,
    kind: ['logits', 'log-probabilities'],
  }),
  ...cases('beam select', { rows: step.rows, beams: step.beams }),
  ...cases('cache slots', step),
  ...cases('SSRU step', { rows: step.rows, beams: 2, width: heads.heads * heads.width }),
  ...cases('take rows', { rows: step.rows, width: step.length * heads.heads * heads.width }),
  ...cases('row sublayer', {
    ...heads,
    rows: 1,
    length: step.length,
    hidden: 4 * heads.heads * heads.width,
    vocab,
    kind: ['self-attention', 'cross-attention', 'feed-forward', 'logits'],
  }),
];

/** The kernels that save memory, for layers with these numbers of inputs and outputs. */
const packedKernels = (
  rows: number,
  inputs: number,
  outputs: number,
  vocab: number,
  buffer: number,
): readonly KernelCase[] => [
  ...cases('linear', { rows: rows / 8, inputs, outputs, dtype: 'f16 weights' }),
  ...cases('linear', { rows, inputs, outputs, dtype: 'f16', pass: passes }),
  ...cases('linear', { rows: rows / 8, inputs, outputs, dtype: ['int8 weights', 'int4 weights'] }),
  ...cases('linear', { rows: 1, inputs, outputs: vocab, dtype: 'int8 weights' }),
  ...cases('linear', { rows: 1, inputs, outputs, dtype: ['int4 weights', 'uint4 weights'] }),
  ...cases('linear', {
    rows,
    inputs,
    outputs,
    pass: 'backward',
    dtype: ['f16 weights', 'int8 weights', 'int4 weights'],
  }),
  ...cases('embedding', { batch: 8, length: rows / 8, vocab, width: inputs, dtype: ['f16', 'int8', 'int4'] }),
  ...cases('projected loss', { rows: rows / 2, width: inputs / 2, vocab }),
  ...cases('columns', { rows: 2 * rows, width: 3 * inputs, count: inputs, kind: ['add', 'take', 'join'] }),
  ...cases('buffers', { kind: ['cast to f16', 'round to 8 bits'], size: buffer }),
  ...cases('loss scale'),
];

/** The kernels of guests. */
const guestKernels = (sizes: KernelSizes): readonly KernelCase[] =>
  guestBenches
    .flatMap(({ kernels }) => kernels?.(sizes) ?? [])
    .flatMap(([family, values]) => casesOf(family, values));

/** All kernels, in the order of the report. */
export const kernelCases: readonly KernelCase[] = [
  ...matmul(256, 256, 256),
  ...matmul(512, 512, 512),
  ...matmul(1024, 1024, 1024),
  ...matmul(768, 256, 1024),
  ...cases('linear', { rows: 768, inputs: 256, outputs: 1024, pass: passes }),
  ...matmul(512, 256, 8000),
  ...matmul(512, 8000, 256, 'NT'),
  ...matmul(256, 512, 8000, 'TN'),
  ...cases('attention', { batch: 4, length: [32, 128, 512], heads: 8, width: 32, pass: passes }),
  ...cases('attention', { batch: 1, length: 64, heads: 2, width: [64, 128], pass: passes }),
  ...cases('attention', { batch: 4, length: 128, heads: 8, width: 64, pass: passes, mask: 'position bias' }),
  ...cases('position bias', { pass: passes }),
  ...cases('cross-attention', { pass: [...passes, 'probabilities'] }),
  ...cases('cross-attention', { batch: 1, queries: 64, keys: 64, heads: 2, width: [64, 128], pass: passes }),
  ...cases('guided alignment', { pass: passes }),
  ...cases('layer norm', { pass: [...passes, 'add, dropout, norm'] }),
  ...cases('softmax', { rows: 4096, width: 512, pass: passes }),
  ...cases('embedding', { pass: passes }),
  ...cases('cross-entropy', { pass: ['train', 'loss', 'backward'] }),
  ...trainingKernels(10_000_000, 4096, 512),
  ...decodingKernels({ rows: 64, beams: 4, length: 64 }, { heads: 8, width: 32 }, 8000),
  ...packedKernels(512, 512, 2048, 8000, 10_000_000),
  ...guestKernels({ batch: 4, length: 512, width: 256, channels: 80, rows: 64, vocab: 8000 }),
];

/** Some kernels of each group at small sizes, for slow adapters. */
export const smallKernelCases: readonly KernelCase[] = [
  ...matmul(64, 64, 64),
  ...cases('linear', { rows: 64, inputs: 64, outputs: 128 }),
  ...cases('attention', { batch: 1, length: 32, heads: 2, width: 16 }),
  ...cases('layer norm', { rows: 64, width: 128, pass: passes }),
  ...cases('softmax', { rows: 256, width: 128 }),
  ...cases('embedding', { batch: 4, length: 16, vocab: 500, width: 64, pass: 'backward' }),
  ...cases('cross-entropy', { rows: 32, vocab: 500 }),
  ...cases('optimizer', { size: 20_000 }),
  ...cases('elementwise', { rows: 64, width: 64 }),
  ...cases('buffers', { kind: 'gradient norm', size: 20_000 }),
  ...cases('cached attention', { rows: 8, beams: 2, length: 16, heads: 2, width: 16 }),
  ...cases('next token', { rows: 8, beams: 2, length: 16, vocab: 211 }),
];

/** Every op of `kernelCases` at small sizes: rows of whole vectors, and other rows (scalar kernels). */
export const conformanceKernelCases: readonly KernelCase[] = [
  ...matmul(64, 64, 64),
  ...matmul(33, 37, 41),
  ...cases('matmul', { M: 64, K: 80, N: 96, form: ['NT', 'TN'] }),
  ...cases('linear', { rows: 64, inputs: 64, outputs: 128, pass: passes }),
  ...cases('attention', { batch: 1, length: 32, heads: 2, width: [16, 64], pass: passes }),
  ...cases('attention', { batch: 1, length: 32, heads: 2, width: 16, pass: passes, mask: 'position bias' }),
  ...cases('position bias', { pass: passes }),
  ...cases('cross-attention', {
    batch: 1,
    queries: 16,
    keys: 24,
    heads: 2,
    width: 16,
    pass: [...passes, 'probabilities'],
  }),
  ...cases('guided alignment', { batch: 1, queries: 16, keys: 24, heads: 2, width: 16, pass: passes }),
  ...cases('layer norm', { rows: 64, width: [128, 130], pass: passes }),
  ...cases('layer norm', { rows: 64, width: 128, pass: 'add, dropout, norm' }),
  ...cases('softmax', { rows: 256, width: 128, pass: passes }),
  ...cases('embedding', { batch: 4, length: 16, vocab: 500, width: 64, pass: passes }),
  ...cases('cross-entropy', { rows: 32, vocab: 500, pass: ['train', 'loss', 'backward'] }),
  ...trainingKernels(20_000, 256, 64),
  ...decodingKernels({ rows: 8, beams: 2, length: 16 }, { heads: 2, width: 16 }, 211),
  ...packedKernels(64, 64, 128, 500, 20_000),
  ...guestKernels({ batch: 2, length: 12, width: 24, channels: 16, rows: 8, vocab: 211 }),
];
