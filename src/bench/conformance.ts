// Conformance report of an adapter: features, limits, and the error of each kernel against float64.

import { matrixFeature } from '../engine/gpu/subgroup-features.ts';
import { neededLimits } from '../session/session-device.ts';
import { type KernelResult, maxError, type VariantResult } from './check-kernel.ts';
import type { Machine } from './machine.ts';

/** A limit of the adapter and the value that is needed. */
export interface LimitLine {
  readonly name: string;
  readonly needed: number;
  readonly has: number;
  readonly passed: boolean;
}

/** A kernel with all its variants. */
export interface KernelLine {
  readonly name: string;
  /** Without times. `error` is infinite if the variant did not run. */
  readonly variants: readonly VariantResult[];
  /** Maximum error, and its variant. */
  readonly worst: number;
  readonly variant: string;
  readonly allowed: number;
  readonly passed: boolean;
  /** Variants that are not used on this adapter: they fail the check, or do not run. */
  readonly dropped: readonly string[];
}

/** The report; plain JSON. */
export interface Conformance {
  readonly passed: boolean;
  /** Optional features that kernels or measurements use. */
  readonly features: readonly { readonly name: string; readonly present: boolean; readonly use: string }[];
  readonly limits: readonly LimitLine[];
  /** Smallest and largest subgroup size; null if the adapter does not report them. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  readonly kernels: readonly KernelLine[];
}

const usedFeatures: Readonly<Record<string, string>> = {
  'timestamp-query': 'timing of kernels without queue overhead',
  subgroups: 'data exchange between threads',
  'shader-f16': 'float16 arithmetic',
  [matrixFeature]: 'matrix units',
};

/**
 * The report for a machine. `needed`: limits by their WebGPU names; default: the limits that all kernels
 * need.
 */
export function conformanceOf(
  { adapter }: Machine,
  kernels: readonly KernelResult[],
  needed: Readonly<Record<string, number>> = neededLimits,
): Conformance {
  const features = Object.entries(usedFeatures).map(([name, use]) => ({
    name,
    present: adapter.features.includes(name),
    use,
  }));
  const limits = Object.entries(needed).map(([name, min]) => {
    const has = adapter.limits[name] ?? 0;
    return { name, needed: min, has, passed: has >= min };
  });
  const lines = kernels.map(lineOf);
  const passed = limits.every((l) => l.passed) && lines.every((l) => l.passed);
  return { passed, features, limits, subgroups: adapter.subgroups, kernels: lines };
}

function lineOf({ name, variants }: KernelResult): KernelLine {
  const lines = variants.map(({ variant, error, passed, failure }) => ({
    variant,
    error,
    passed,
    failure,
  }));
  const [worst] = [...lines].sort((a, b) => b.error - a.error);
  if (!worst) throw new Error(`bench: ${name} has no variants`);
  return {
    name,
    variants: lines,
    worst: worst.error,
    variant: worst.variant,
    allowed: maxError,
    passed: lines.every((v) => v.passed),
    dropped: lines.filter((v) => !v.passed).map((v) => v.variant),
  };
}
