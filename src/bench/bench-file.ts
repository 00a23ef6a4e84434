// Reads the kernel results of an earlier run, the JSON of `heddle bench --json` or of the kernel lab, and
// compares two runs.

import { check } from '../core/errors.ts';
import { adapterName } from '../core/host-name.ts';
import { listed, msg } from '../core/message.ts';
import type { Roofs } from '../engine/gpu/roofs.ts';
import { isObject } from '../files/json-files.ts';
import type { KernelResult, VariantResult } from './check-kernel.ts';
import { kernelGroups } from './kernel-case.ts';
import type { Machine } from './machine.ts';
import type { RoofSpread } from './repeated-roofs.ts';
import { type Change, changeOf, type Quartiles } from './spread.ts';

/** The common fields of both kinds of files. */
export interface BenchRun {
  readonly heddle: string;
  /** Start time, ISO 8601. */
  readonly when: string;
  /** Name of the adapter. */
  readonly adapter: string;
  readonly machine?: Machine;
  readonly roofs?: Roofs;
  /** All measurements of the roofs; absent if the measurement was stopped before the last of them. */
  readonly roofSpread?: RoofSpread;
  readonly kernels: readonly KernelResult[];
}

/** The fields of a record in a file, before they are checked. */
type Unchecked<T> = { readonly [Name in keyof T]?: unknown };

const isNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x);
const isNonNegative = (x: unknown): x is number => isNumber(x) && x >= 0;
const textOf = (x: unknown): string => (typeof x === 'string' ? x.slice(0, 200) : '');

/** Reads a file of results. Throws a HeddleError that names the invalid part. */
export function readBenchRun(text: string): BenchRun {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    check(false, 'The file is not JSON; it must come from heddle bench or the kernel lab.');
  }
  return benchRunOf(json);
}

/** Checks parsed results. Throws a HeddleError that names the invalid part. */
export function benchRunOf(json: unknown): BenchRun {
  check(
    isObject(json) && Array.isArray(json.kernels),
    'The file has no kernels; it must come from heddle bench or the kernel lab.',
  );
  const kernels = (json.kernels as unknown[]).map(kernelIn);
  check(kernels.length > 0, 'The file has no kernels: the list is empty.');
  const { roofs, roofSpread, machine, adapter } = json;
  return {
    heddle: textOf(json.heddle),
    when: textOf(json.when),
    adapter: textOf(adapter) || adapterOf(machine),
    machine: isObject(machine) ? machineIn(machine) : undefined,
    roofs: isObject(roofs) ? roofsIn(roofs) : undefined,
    roofSpread: isObject(roofSpread) ? spreadIn(roofSpread) : undefined,
    kernels,
  };
}

/** Descriptions only: pages show them as they are. */
const machineIn = (machine: Unchecked<Machine>): Machine => machine as Machine;

function adapterOf(machine: unknown): string {
  const adapter = isObject(machine) ? machine.adapter : undefined;
  if (!isObject(adapter)) return 'unknown adapter';
  const { vendor, architecture, device, description } = adapter;
  return adapterName({
    vendor: textOf(vendor),
    architecture: textOf(architecture),
    device: textOf(device),
    description: textOf(description),
  });
}

function kernelIn(given: unknown, i: number): KernelResult {
  check(isObject(given) && typeof given.name === 'string', msg`Kernel ${i + 1} of the file has no name.`);
  const { name } = given;
  const kernel: Unchecked<KernelResult> = given;
  const { group, flops, bytes, variants, speed, comparedWith: by } = kernel;
  const where = `The kernel ${name.slice(0, 80)} of the file`;
  check(
    kernelGroups.some((known) => known === group),
    msg`${where} has the group ${textOf(group) || 'nothing'}; it must be one of ${listed(kernelGroups)}.`,
  );
  check(isNonNegative(flops) && isNonNegative(bytes), msg`${where} needs flops and bytes of 0 or more.`);
  check(speed === undefined || isNumber(speed), msg`${where} has a speed that is not a number.`);
  const named =
    by === undefined || (isObject(by) && typeof by.variant === 'string' && typeof by.kernel === 'string');
  check(named, msg`${where} has an invalid comparedWith; it needs the texts variant and kernel.`);
  check(Array.isArray(variants) && variants.length > 0, msg`${where} has no variants.`);
  return {
    ...(kernel as KernelResult),
    variants: (variants as unknown[]).map((v) => variantIn(v, where)),
  };
}

function variantIn(given: unknown, where: string): VariantResult {
  check(isObject(given) && typeof given.variant === 'string', msg`${where} has a variant without a name.`);
  const variant: Unchecked<VariantResult> = given;
  const { error, ms, low, high } = variant;
  const timed = isNumber(ms) && ms > 0 && isNumber(low) && isNumber(high) && low <= ms && ms <= high;
  check(ms === undefined || timed, msg`${where} has a time that is not a median between quartiles.`);
  // JSON has no infinity: the error of a kernel that did not run is null.
  return {
    ...(variant as VariantResult),
    error: isNumber(error) ? error : Number.POSITIVE_INFINITY,
  };
}

function roofsIn(roofs: Unchecked<Roofs>): Roofs {
  for (const name of ['bandwidth', 'peak'] as const) {
    const roof = roofs[name];
    check(
      isObject(roof) && isNumber(roof.rate) && roof.rate > 0,
      msg`The roof ${name} of the file has no rate.`,
    );
  }
  return roofs as Roofs;
}

function spreadIn(spread: Unchecked<RoofSpread>): RoofSpread {
  for (const name of ['bandwidth', 'peak'] as const) {
    const roof = spread[name];
    check(
      isObject(roof) && isNonNegative(roof.spread),
      msg`The measurements of the roof ${name} in the file have no spread.`,
    );
  }
  return spread as RoofSpread;
}

/** The fastest variant of a kernel, its first one; undefined if none was timed. */
export function fastestOf({ variants }: KernelResult): (VariantResult & Quartiles) | undefined {
  const [first] = variants;
  return first?.ms !== undefined && first.low !== undefined && first.high !== undefined
    ? (first as VariantResult & Quartiles)
    : undefined;
}

/** A sentence about the reference of a kernel that is too large for float64; empty for other kernels. */
export const referenceNote = ({ name, comparedWith }: Pick<KernelResult, 'name' | 'comparedWith'>): string =>
  comparedWith
    ? `${name} is too large for float64 on the CPU: it is compared with the variant ${comparedWith.variant} on the same adapter, which matches float64 at ${comparedWith.kernel}.`
    : '';

/** Relative noise that all times of a run share: half of the larger relative spread of the roofs. */
const machineNoise = ({ roofSpread }: Pick<BenchRun, 'roofSpread'>): number =>
  roofSpread ? Math.max(roofSpread.bandwidth.spread, roofSpread.peak.spread) / 2 : 0;

/** Compares the kernels of two runs: the change of the time of each kernel by name. */
export function compareRuns(
  run: Pick<BenchRun, 'kernels' | 'roofSpread'>,
  earlier: Pick<BenchRun, 'kernels' | 'roofSpread'>,
): Map<string, Change> {
  const before = new Map(earlier.kernels.map((kernel) => [kernel.name, fastestOf(kernel)]));
  const machines = [machineNoise(run), machineNoise(earlier)];
  return new Map(
    run.kernels.flatMap((kernel): [string, Change][] => {
      const [now, then] = [fastestOf(kernel), before.get(kernel.name)];
      return now && then ? [[kernel.name, changeOf(now, then, machines)]] : [];
    }),
  );
}
