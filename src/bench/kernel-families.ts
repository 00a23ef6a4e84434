// Kernel families: kernels by name, with the sizes that each takes. `heddle bench` and the kernel lab make their lists from
// them, and kernels of the sizes that a user gives.

import { HeddleError } from '../core/errors.ts';
import { storeAsF16 } from '../graph/f16-storage.ts';
import {
  beamStep,
  crossAttention as cachedCross,
  selfAttention as cachedSelf,
  choice,
  slots,
  takenRows,
} from './decoding-kernel-cases.ts';
import { graphOf, type KernelCase, type KernelSpec } from './kernel-case.ts';
import { checkedValues, family, type KernelFamily, type SizeField, size } from './kernel-family.ts';
import {
  addNorm,
  attention,
  cross,
  crossEntropy,
  feedForward,
  norm,
  product,
  relativeBias,
  softmaxOf,
  tokens,
} from './model-kernel-cases.ts';
import {
  castToF16,
  columns,
  embeddingOfPacked,
  linearF16,
  linearOfPacked,
  lossScale,
  packedLinearBackward,
  projectedLoss,
} from './packed-kernel-cases.ts';
import {
  activated,
  bufferSum,
  clipping,
  columnSums,
  counted,
  dropped,
  finite,
  gated,
  logOfMean,
  normSums,
  positions,
  rms,
  stats,
  sum,
  update,
} from './training-kernel-cases.ts';

const heads = size('Heads', 8, 256);
const width = size('Head width', 32, 256);
const batch = size('Sentences', 4, 4096);
const rows = size('Rows', 1024, 1_000_000);
const weights = size('Weights', 10_000_000, 2 ** 28);
const pass = { label: 'Pass', values: ['forward', 'backward'] } as const;
const dtype = { label: 'Storage', values: ['f32', 'f16'] } as const;

/** The kernel with f16 for all tensors whose op allows it. Throws a HeddleError if there are none. */
function inF16({ build, ...rest }: KernelCase, chosen: 'f32' | 'f16'): KernelCase {
  if (chosen === 'f32') return { build, ...rest };
  const kernel: KernelCase = {
    ...rest,
    name: `${rest.name}, f16`,
    build(g) {
      build(g);
      storeAsF16(g, [...g.inputs.values(), ...g.nodes.flatMap((node) => node.outputs)]);
    },
    needs: 'f16',
  };
  const { node } = graphOf(kernel);
  if (![...node.inputs, ...node.outputs].some(({ dtype }) => dtype === 'f16'))
    throw new HeddleError(`${rest.name} has no tensor that can be stored as f16; choose f32.`);
  return kernel;
}

const decoding = { rows: size('Rows', 64, 4096), beams: size('Beams', 4, 16), length: size('Positions', 64, 8192, 2) };
const vocab: SizeField = { label: 'Vocabulary', value: 8000, min: 8, max: 300_000 };
const toSizes = (v: {
  rows: number;
  beams: number;
  length: number;
  vocab?: number;
  heads?: number;
  width?: number;
}) => ({ R: v.rows, beams: v.beams, T: v.length, V: v.vocab ?? 8, H: v.heads ?? 1, W: v.width ?? 1 });

/** All families by name. */
export const kernelFamilies = {
  matmul: family(
    'Matrix product',
    {
      M: size('M', 256),
      K: size('K', 256),
      N: size('N', 256),
      form: { label: 'Transposed', values: ['NN', 'NT', 'TN'] },
    },
    ({ M, K, N, form }) => product(M, K, N, form),
  ),
  linear: family(
    'Linear layer',
    {
      rows: size('Rows (M)', 768, 1_000_000),
      inputs: size('Inputs (K)', 256),
      outputs: size('Outputs (N)', 1024, 300_000),
      pass,
      dtype: { label: 'Storage', values: ['f32', 'f16', 'f16 weights', 'int8 weights'] },
    },
    (v) => {
      const back = v.pass === 'backward';
      if (v.dtype === 'f32') return feedForward(v.rows, v.inputs, v.outputs, back);
      if (v.dtype === 'f16') return linearF16(v.rows, v.inputs, v.outputs, back);
      const format = v.dtype === 'f16 weights' ? 'f16' : 'int8';
      return (back ? packedLinearBackward : linearOfPacked)(format, v.rows, v.inputs, v.outputs);
    },
  ),
  attention: family(
    'Self-attention',
    {
      batch,
      length: size('Length', 128, 8192),
      heads,
      width,
      pass,
      mask: { label: 'Mask', values: ['causal', 'position bias'] },
      dtype,
    },
    (v) =>
      inF16(
        attention(v.length, v.pass === 'backward', [v.batch, v.heads, v.width], v.mask === 'position bias'),
        v.dtype,
      ),
  ),
  'cross-attention': family(
    'Cross-attention',
    {
      batch,
      queries: size('Target length', 128, 8192),
      keys: size('Source length', 128, 8192),
      heads,
      width,
      pass: { label: 'Pass', values: ['forward', 'backward', 'probabilities'] },
      dtype,
    },
    (v) => inF16(cross(v.pass, v.queries, v.keys, [v.batch, v.heads, v.width]), v.dtype),
  ),
  'position bias': family('Relative position bias', { heads, pass }, (v) =>
    relativeBias(v.pass === 'backward', v.heads),
  ),
  'layer norm': family(
    'Layer norm',
    {
      rows,
      width: size('Width', 512),
      pass: { label: 'Pass', values: ['forward', 'backward', 'add, dropout, norm'] },
      dtype,
    },
    (v) =>
      inF16(
        v.pass === 'add, dropout, norm' ? addNorm(v.rows, v.width) : norm(v.rows, v.width, v.pass === 'backward'),
        v.dtype,
      ),
  ),
  'RMS norm': family(
    'RMS norm',
    { rows, width: size('Width', 512), pass: { label: 'Pass', values: ['forward', 'backward', 'fused'] }, dtype },
    (v) => inF16(rms(v.rows, v.width, v.pass), v.dtype),
  ),
  softmax: family('Softmax', { rows, width: size('Columns', 512, 300_000), pass }, (v) =>
    softmaxOf(v.rows, v.width, v.pass === 'backward'),
  ),
  embedding: family(
    'Embedding',
    {
      batch: size('Sentences', 32, 4096),
      length: size('Length', 64, 8192),
      vocab,
      width: size('Width', 512, 8192),
      pass,
      dtype: { label: 'Table', values: ['f32', 'f16', 'int8'] },
    },
    (v) => {
      if (v.dtype === 'f32') return tokens(v.batch, v.length, v.vocab, v.width, v.pass === 'backward');
      if (v.pass === 'backward') throw new HeddleError('embedding: only a table of f32 has a gradient; choose f32');
      return embeddingOfPacked(v.dtype, v.batch, v.length, v.vocab, v.width);
    },
  ),
  'cross-entropy': family(
    'Cross-entropy',
    { rows, vocab, pass: { label: 'Pass', values: ['train', 'loss', 'backward'] }, dtype },
    (v) => inF16(crossEntropy(v.rows, v.vocab, v.pass), v.dtype),
  ),
  'projected loss': family(
    'Loss of the output projection',
    { rows: size('Rows', 256), width: size('Width', 256, 8192), vocab },
    (v) => projectedLoss(v.rows, v.width, v.vocab),
  ),
  optimizer: family(
    'Optimizer',
    { kind: { label: 'Optimizer', values: ['AdamW', 'Adam', 'RMSprop', 'SGD'] }, size: weights },
    (v) => update(v.kind, v.size),
  ),
  buffers: family(
    'Parameter buffers',
    {
      kind: {
        label: 'Operation',
        values: ['accumulate', 'average', 'gradient norm', 'gradient scale', 'check finite', 'cast to f16'],
      },
      size: weights,
    },
    ({ kind, size }) => {
      if (kind === 'accumulate' || kind === 'average') return bufferSum(kind, size);
      if (kind === 'check finite') return finite(size);
      return kind === 'cast to f16' ? castToF16(size) : clipping(kind === 'gradient norm' ? 'norm' : 'scale', size);
    },
  ),
  'loss scale': family('Loss scale', {}, () => lossScale),
  elementwise: family(
    'Elementwise',
    { kind: { label: 'Operation', values: ['add', 'dropout'] }, rows, width: size('Columns', 512), dtype },
    (v) => inF16((v.kind === 'add' ? sum : dropped)(v.rows, v.width), v.dtype),
  ),
  'log of mean': family('Log of a mean', { rows: size('Rows', 4096, 1_000_000, 2), width: size('Columns', 512) }, (v) =>
    logOfMean(v.rows, v.width),
  ),
  activation: family(
    'Activation',
    {
      kind: { label: 'Function', values: ['gelu', 'relu', 'silu', 'gelu-tanh', 'gated gelu-tanh'] },
      rows,
      width: size('Columns', 512),
      pass,
      dtype,
    },
    (v) => {
      const back = v.pass === 'backward';
      const kernel =
        v.kind === 'gated gelu-tanh' ? gated(v.rows, v.width, back) : activated(v.kind, v.rows, v.width, back);
      return inF16(kernel, v.dtype);
    },
  ),
  'column sums': family('Column sums', { rows: size('Rows', 128), width: size('Columns', 512, 65_536, 2) }, (v) =>
    columnSums(v.rows, v.width),
  ),
  'norm sums': family(
    'Sums of norm gradients',
    { count: size('Norms', 12, 256), rows: size('Rows', 128), width: size('Width', 512) },
    (v) => normSums(v.count, v.rows, v.width),
  ),
  columns: family(
    'LoRA columns',
    {
      kind: { label: 'Operation', values: ['add', 'take'] },
      rows,
      width: size('Columns', 1536),
      count: size('Of the LoRA adapter', 512),
    },
    (v) => columns(v.kind, v.rows, v.width, v.count),
  ),
  positions: family(
    'Gradient of positions',
    { batch: size('Sentences', 32, 4096), length: size('Length', 64, 8192), width: size('Width', 512, 8192) },
    (v) => positions(v.batch, v.length, v.width),
  ),
  'token positions': family(
    'Token positions',
    { batch: size('Sentences', 64, 4096), length: size('Length', 128, 8192) },
    (v) => counted(v.batch, v.length),
  ),
  'token statistics': family('Token statistics', { tokens: size('Tokens', 2048, 1_000_000) }, (v) => stats(v.tokens)),
  'cached attention': family(
    'Cached attention',
    { kind: { label: 'Attention', values: ['self-attention', 'cross-attention'] }, ...decoding, heads, width },
    (v) => (v.kind === 'self-attention' ? cachedSelf : cachedCross)(toSizes(v)),
  ),
  'next token': family(
    'Next token',
    { kind: { label: 'Choice', values: ['greedy token', 'best tokens', 'sampled token'] }, ...decoding, vocab },
    (v) => choice(v.kind, toSizes(v)),
  ),
  'beam select': family('Beam select', { rows: decoding.rows, beams: decoding.beams }, (v) =>
    beamStep(toSizes({ ...v, length: 2 })),
  ),
  'cache slots': family('Cache slots', decoding, (v) => slots(toSizes(v))),
  'take rows': family('Copy of rows', { rows: size('Rows', 64), width: size('Columns', 16_384, 1_000_000) }, (v) =>
    takenRows(v.rows, v.width),
  ),
} as const satisfies Readonly<Record<string, KernelFamily>>;
/** Name of a kernel family. */
export type FamilyName = keyof typeof kernelFamilies;

/** Names of the families. */
export const familyNames = Object.keys(kernelFamilies) as readonly FamilyName[];

/**
 * The kernel of a specification; omitted values have their defaults. Throws a HeddleError that names the family, the size
 * and its allowed values.
 */
export function kernelOf({ family: name, values = {} }: KernelSpec): KernelCase {
  const family = Object.hasOwn(kernelFamilies, name) ? (kernelFamilies[name as FamilyName] as KernelFamily) : undefined;
  if (!family) throw new HeddleError(`There is no kernel family ${name}; there are ${familyNames.join(', ')}.`);
  const checked = checkedValues(name, family, values);
  return { ...family.make(checked as Readonly<Record<string, never>>), spec: { family: name, values: checked } };
}
