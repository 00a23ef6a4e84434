// Whether an adapter does what WebGPU promises and the kernels count on: its features and limits beside those that are used, and the
// worst error of each kernel against float64.

import { type KernelResult, largestError } from './check-kernel.ts';
import type { Machine } from './machine.ts';

/** A feature that kernels or measurements use where it is there. */
export interface FeatureLine {
  readonly name: string;
  readonly present: boolean;
  readonly use: string;
}

/** A limit beside what is needed. */
export interface LimitLine {
  readonly name: string;
  readonly needed: number;
  readonly has: number;
  readonly passed: boolean;
}

/** A kernel's worst variant. */
export interface KernelLine {
  readonly name: string;
  readonly variants: number;
  /** max|x - ref| / max|ref|, and the variant that it is of. */
  readonly worst: number;
  readonly variant: string;
  readonly allowed: number;
  readonly passed: boolean;
  /** What a variant said that did not run. */
  readonly failure?: string;
}

/** The report; plain JSON. */
export interface Conformance {
  readonly passed: boolean;
  readonly features: readonly FeatureLine[];
  readonly limits: readonly LimitLine[];
  /** Smallest and largest subgroup; null where the adapter has none or does not say. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  readonly kernels: readonly KernelLine[];
}

const usedFeatures: Readonly<Record<string, string>> = {
  'timestamp-query': 'times kernels without the wait for the queue',
  subgroups: 'shares numbers between neighbouring threads',
  'shader-f16': 'computes in float16',
};

/** The report of a machine; `needed` are limits by their WebGPU names. */
export function conformanceOf(
  { adapter }: Machine,
  needed: Readonly<Record<string, number>>,
  kernels: readonly KernelResult[],
): Conformance {
  const features = Object.entries(usedFeatures).map(([name, use]) => ({
    name,
    present: adapter.features.includes(name),
    use,
  }));
  const limits = Object.entries(needed).map(([name, least]) => {
    const has = adapter.limits[name] ?? 0;
    return { name, needed: least, has, passed: has >= least };
  });
  const lines = kernels.map(lineOf);
  const passed = limits.every((l) => l.passed) && lines.every((l) => l.passed);
  return { passed, features, limits, subgroups: adapter.subgroups, kernels: lines };
}

function lineOf({ name, variants }: KernelResult): KernelLine {
  const [worst] = [...variants].sort((a, b) => b.error - a.error);
  if (!worst) throw new Error(`bench: ${name} has no variants`);
  const passed = variants.every((v) => v.passed);
  const failure = variants.find((v) => v.failure !== undefined)?.failure;
  return {
    name,
    variants: variants.length,
    worst: worst.error,
    variant: worst.variant,
    allowed: largestError,
    passed,
    ...(failure !== undefined && { failure }),
  };
}
