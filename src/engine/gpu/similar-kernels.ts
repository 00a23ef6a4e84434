// Finds a measured node that is similar to another one: auto-tuning uses its fastest variant. The measured
// nodes of earlier runs are known by the texts of their kinds in the kernel store.

import type { DType, Shape, TensorType } from '../../core/tensor.ts';
import type { Attrs, Variant } from '../ops/op.ts';
import type { KernelChoices, NodeKind } from '../plan/kernel-choices.ts';

/**
 * Returns the fastest of `variants` on the measured node of the same op, form and types with the nearest
 * sizes, and its distance.
 */
export function nearestMeasured(
  key: string,
  variants: readonly Variant[],
  measured: KernelChoices,
): { variant: Variant; distance: number } | undefined {
  const kind = kindOfKey(key);
  let best: { variant: Variant; distance: number } | undefined;
  for (const [otherKey, name] of Object.entries(measured)) {
    const variant = variants.find((v) => v.name === name);
    const other = variant && kindOfKey(otherKey);
    if (!variant || !kind || !other || !isSameForm(kind, other)) continue;
    // The product ignores the order of sizes; equal order breaks ties.
    const [sizes, otherSizes] = [sizesOf(kind), sizesOf(other)];
    const distance =
      Math.abs(volume(sizes) - volume(otherSizes)) + (sizes.join() === otherSizes.join() ? 0 : 1e-3);
    if (!best || distance < best.distance) best = { variant, distance };
  }
  return best;
}

/** The kind that a text of `variantKey` is of; undefined if it is no such text, as in a damaged file. */
function kindOfKey(key: string): NodeKind | undefined {
  const start = key.indexOf(' ');
  const end = key.lastIndexOf('} ') + 1;
  const typeOf = (text: string): TensorType => {
    const at = text.indexOf('[');
    return { dtype: text.slice(0, at) as DType, shape: JSON.parse(text.slice(at)) as Shape };
  };
  try {
    const attrs = JSON.parse(key.slice(start, end)) as Attrs;
    return {
      op: key.slice(0, start),
      attrs,
      types: key
        .slice(end + 1)
        .split(' ')
        .map(typeOf),
    };
  } catch {
    return undefined;
  }
}

/** Whether two kinds differ in sizes only: same op, transposed operands, format of packed weights, types. */
function isSameForm(a: NodeKind, b: NodeKind): boolean {
  const sameAttrs = (['transA', 'transB', 'format'] satisfies (keyof Attrs)[]).every(
    (name) => (a.attrs[name] || undefined) === (b.attrs[name] || undefined),
  );
  return a.op === b.op && sameAttrs && dtypesOf(a).join() === dtypesOf(b).join();
}

/** Types of the first two tensors; optional inputs come later. */
const dtypesOf = ({ types }: NodeKind) => types.slice(0, 2).map(({ dtype }) => dtype);

/** The first six sizes of all tensors: those of the first two or three. */
const sizesOf = ({ types }: NodeKind): number[] => types.flatMap(({ shape }) => [...shape]).slice(0, 6);

/** Logarithm of the product of sizes. */
const volume = (sizes: readonly number[]): number => sizes.reduce((sum, n) => sum + Math.log(n + 1), 0);
