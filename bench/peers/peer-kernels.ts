// The single kernels that are timed and their inputs. The sizes are from the preset `mid`: 768 rows are the
// tokens of a batch, 8,000 is the vocabulary, [128, 32, 32] is 16 sentences of 8 heads with 32 tokens of
// width 32.

import { random } from '../../src/core/random.ts';
import { f32, i32, type Shape, sizeOf, type Tensor } from '../../src/core/tensor.ts';

/** Kinds of kernels, with the names of their arrays and their result. */
export const kernelKinds = [
  'matmul', // a, b -> a · b, either of them transposed
  'softmax', // x [.., N]
  'layerNorm', // x [R, D], gamma, beta [D]
  'layerNormTrain', // those and dy [R, D] -> dx, dgamma, dbeta
  'embeddingGradient', // ids [N], dy [N, D], table [V, D] -> dtable [V, D]
  'crossEntropyTrain', // logits [R, V], targets [R] -> the gradient of their mean loss, [R, V]
  'attention', // qkv [B, T, 3 * H * W] -> [B, T, H * W]
  'attentionTrain', // qkv and dy [B, T, H * W] -> dqkv
] as const;
export type KernelKind = (typeof kernelKinds)[number];

/** The inputs of one kernel by name, and its settings. */
export interface KernelArrays {
  readonly arrays: Readonly<Record<string, Tensor>>;
  /** matmul: a and b are given transposed in their last two axes. */
  readonly transA: boolean;
  readonly transB: boolean;
  /** Heads of an attention. */
  readonly heads: number;
}

/** One kernel to time. */
export interface KernelSpec {
  readonly name: string;
  readonly kind: KernelKind;
  /** Floating-point operations of a product; 0 if GFLOP/s are meaningless. */
  readonly flops: number;
  readonly arrays: Readonly<Record<string, Shape>>;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly heads?: number;
}

const product = (name: string, a: Shape, b: Shape, transA = false, transB = false): KernelSpec => {
  const [m = 0, k = 0] = transA ? a.slice(-2).reverse() : a.slice(-2);
  const n = b[b.length - (transB ? 2 : 1)] ?? 0;
  const flops = 2 * m * k * n * sizeOf(a.slice(0, -2));
  return { name, kind: 'matmul', arrays: { a, b }, flops, transA, transB };
};

const attention = (
  name: string,
  kind: KernelKind,
  [B, T, D]: readonly [number, number, number],
  heads: number,
): KernelSpec => ({
  name,
  kind,
  heads,
  flops: 0,
  arrays: kind === 'attentionTrain' ? { qkv: [B, T, 3 * D], dy: [B, T, D] } : { qkv: [B, T, 3 * D] },
});

/** All kernels. The square products are those of jax-js's page. */
export const kernelList: readonly KernelSpec[] = [
  ...[256, 512, 1024, 2048, 4096].map((n) => product(`matmul ${n}³`, [n, n], [n, n])),
  ...[1024, 8000].flatMap((n) => [
    product(`768×256 · 256×${n}`, [768, 256], [256, n]),
    product(`768×256 · (${n}×256)ᵀ`, [768, 256], [n, 256], false, true),
    product(`768×${n} · (256×${n})ᵀ`, [768, n], [256, n], false, true),
    product(`768×${n} · ${n}×256`, [768, n], [n, 256]),
    product(`(768×256)ᵀ · 768×${n}`, [768, 256], [768, n], true),
  ]),
  product('[128,32,32] · [128,32,32]', [128, 32, 32], [128, 32, 32]),
  product('[128,32,32] · [128,32,32]ᵀ', [128, 32, 32], [128, 32, 32], false, true),
  product('[128,32,32]ᵀ · [128,32,32]', [128, 32, 32], [128, 32, 32], true),
  { name: 'softmax [128,32,32]', kind: 'softmax', arrays: { x: [128, 32, 32] }, flops: 0 },
  { name: 'softmax [768,8000]', kind: 'softmax', arrays: { x: [768, 8000] }, flops: 0 },
  {
    name: 'layer norm [768,256]',
    kind: 'layerNorm',
    arrays: { x: [768, 256], gamma: [256], beta: [256] },
    flops: 0,
  },
  {
    name: 'layer norm [768,256], both ways',
    kind: 'layerNormTrain',
    arrays: { x: [768, 256], gamma: [256], beta: [256], dy: [768, 256] },
    flops: 0,
  },
  {
    name: 'embedding gradient, 768 ids into [8000,256]',
    kind: 'embeddingGradient',
    arrays: { ids: [768], dy: [768, 256], table: [8000, 256] },
    flops: 0,
  },
  {
    name: 'cross-entropy [768,8000], both ways',
    kind: 'crossEntropyTrain',
    arrays: { logits: [768, 8000], targets: [768] },
    flops: 0,
  },
  attention('attention [16,32,256], 8 heads', 'attention', [16, 32, 256], 8),
  attention('attention [16,32,256], 8 heads, both ways', 'attentionTrain', [16, 32, 256], 8),
];

/**
 * Creates the inputs of a kernel: the same numbers for all contestants, from -1 to 1, and ids spread over the
 * vocabulary.
 */
export function makeArrays(spec: KernelSpec): KernelArrays {
  const arrays: Record<string, Tensor> = {};
  Object.entries(spec.arrays).forEach(([name, shape], i) => {
    const stream = random(7, i);
    const draw = (f: () => number) => Array.from({ length: sizeOf(shape) }, f);
    const vocab = spec.arrays.table?.[0] ?? spec.arrays.logits?.[1] ?? 0;
    arrays[name] =
      name === 'ids' || name === 'targets'
        ? i32(
            shape,
            draw(() => Math.floor(stream.uniform() * vocab)),
          )
        : f32(
            shape,
            draw(() => 2 * stream.uniform() - 1),
          );
  });
  const { transA = false, transB = false, heads = 0 } = spec;
  return { arrays, transA, transB, heads };
}
