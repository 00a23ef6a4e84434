// Results in the hash of the address: adapter, roofs and the fastest variant of each kernel, compressed.

import { type BenchRun, benchRunOf, fastestOf } from '../../src/bench/bench-file.ts';
import { type KernelGroup, kernelGroups } from '../../src/bench/kernel-case.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import { packText, unpackText } from '../common/packed-text.ts';
import { say } from '../common/page-texts.ts';
import { shortName } from '../storage/model-names.ts';

/** The name of the field in the hash. */
const key = 'results';

/** Version of the format; other versions are an error. */
const version = 1;

/** Name, index of the group, FLOPs, bytes, variant, ms, lower and upper quartile, error, speed. */
type SharedKernel = readonly [string, number, number, number, string, number, number, number, number, number];

interface SharedRun {
  readonly v: number;
  readonly heddle: string;
  readonly when: string;
  readonly adapter: string;
  /** Rate and spread of the bandwidth, then of the peak. */
  readonly roofs: readonly [number, number, number, number];
  readonly kernels: readonly SharedKernel[];
}

const short = (x: number): number => Number(x.toPrecision(4));

/** Returns the hash of a run. */
export async function toHash(run: BenchRun): Promise<string> {
  const { heddle, when, adapter, roofs, roofSpread, kernels } = run;
  const shared: SharedRun = {
    v: version,
    heddle,
    when,
    adapter,
    roofs: [
      short(roofs?.bandwidth.rate ?? 0),
      short(roofSpread?.bandwidth.spread ?? 0),
      short(roofs?.peak.rate ?? 0),
      short(roofSpread?.peak.spread ?? 0),
    ],
    kernels: kernels.flatMap((kernel): SharedKernel[] => {
      const best = fastestOf(kernel);
      if (!best) return [];
      const { name, group, flops, bytes, speed = 1 } = kernel;
      const times = [best.ms, best.low, best.high].map(short) as [number, number, number];
      return [
        [
          name,
          kernelGroups.indexOf(group),
          flops,
          bytes,
          best.variant,
          ...times,
          short(best.error),
          short(speed),
        ],
      ];
    }),
  };
  return `#${key}=${await packText(JSON.stringify(shared))}`;
}

/** Reads a hash; undefined if it has no results. Throws a HeddleError if they cannot be read. */
export async function fromHash(hash: string): Promise<BenchRun | undefined> {
  const text = new RegExp(`^#${key}=(.*)$`).exec(hash)?.[1];
  if (text === undefined) return undefined;
  let shared: SharedRun;
  try {
    shared = JSON.parse(await unpackText(text)) as SharedRun;
  } catch {
    throw new HeddleError(
      say`The results in the address cannot be read: the link is incomplete. Copy it again.`,
    );
  }
  if (shared.v !== version)
    throw new HeddleError(
      say`The results in the address are from another version of heddle; ask for a new link.`,
    );
  try {
    return withShortNames(benchRunOf(expand(shared)));
  } catch (error) {
    throw new HeddleError(say`The results in the address are invalid: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Results of others, with names of at most 120 characters. */
export const withShortNames = (run: BenchRun): BenchRun => ({
  ...run,
  adapter: shortName(run.adapter, 120),
  kernels: run.kernels.map((kernel) => ({
    ...kernel,
    name: shortName(kernel.name, 120),
    variants: kernel.variants.map((each) => ({ ...each, variant: shortName(each.variant, 120) })),
  })),
});

function expand({ heddle, when, adapter, roofs, kernels }: SharedRun) {
  const [bandwidth, bandwidthSpread, peak, peakSpread] = roofs;
  return {
    heddle,
    when,
    adapter,
    roofs: { bandwidth: { rate: bandwidth }, peak: { rate: peak } },
    roofSpread: { bandwidth: { spread: bandwidthSpread }, peak: { spread: peakSpread } },
    kernels: kernels.map(([name, group, flops, bytes, variant, ms, low, high, error, speed]) => ({
      name,
      group: kernelGroups[group] as KernelGroup,
      flops,
      bytes,
      speed,
      variants: [{ variant, ms, low, high, error, passed: true }],
    })),
  };
}
