// The variants of ops that fuse others: one kernel, or the ops that it consists of.

import type { Variant } from '../op.ts';

/** A variant of a fused op. */
export interface FusedVariant extends Variant {
  readonly fused: boolean;
}

/** The ops that it consists of, with their usual kernels. */
export const parts: FusedVariant = { name: 'parts', fused: false };

/** One kernel. */
export const fused: FusedVariant = { name: 'fused', fused: true };

/** Both variants. The kernel is the default if nothing was measured. */
export const fusedOrParts = (): readonly FusedVariant[] => [fused, parts];

/** Both variants. The ops are the default if nothing was measured. */
export const partsOrFused = (): readonly FusedVariant[] => [parts, fused];
