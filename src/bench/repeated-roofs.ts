// Measures the roofs of a device several times before and after the kernels. Their spread shows how much
// other work disturbed the machine.

import type { Device } from '../engine/gpu/device.ts';
import type { TimeOptions } from '../engine/gpu/plan-timing.ts';
import {
  measureRoofs,
  prepareBandwidth,
  preparePeak,
  type Roof,
  type RoofOptions,
  type Roofs,
} from '../engine/gpu/roofs.ts';
import { maxSpread, rangeOf } from './spread.ts';

/** Number of measurements before the kernels, and after them. */
const repeats = 3;

/** Rates of one roof, in the order they were measured: GB/s or GFLOP/s. */
export interface RoofRates {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Difference of the lowest and the highest rate, relative to the highest. */
  readonly spread: number;
}

/** All measurements of the roofs of a run. */
export interface RoofSpread {
  readonly bandwidth: RoofRates;
  readonly peak: RoofRates;
  /** Whether a spread is above 20 %, so that the numbers should not be quoted. */
  readonly busy: boolean;
}

/** Measures the roofs several times. */
export interface RepeatedRoofs {
  /** The highest rate of each roof: other work only lowers it. */
  readonly roofs: Roofs;
  /** Current speed of the machine: a short measurement of the peak, relative to the highest so far. */
  speed(): Promise<number>;
  /** Measures the roofs again, after the kernels. */
  finish(): Promise<RoofSpread>;
  /** Frees the memory. */
  destroy(): void;
}

const higher = (a: Roof, b: Roof): Roof => (b.rate > a.rate ? b : a);

/** Measures the roofs before the kernels. */
export async function measureRoofsRepeatedly(device: Device, options: RoofOptions): Promise<RepeatedRoofs> {
  const short = ({ repeats }: Roof): TimeOptions => ({ span: options.span, rounds: 1, repeats });
  let roofs = await measureRoofs(device, options);
  const rates = { before: [roofs], after: [] as Roofs[] };
  const peak = await preparePeak(device, roofs.peak);
  const repeat = async (list: Roofs[], times: number) => {
    // The buffers of the bandwidth are freed before the peak is measured: they are as large as the adapter
    // allows.
    const bandwidth = await prepareBandwidth(device, roofs.bandwidth);
    try {
      await bandwidth.measure(warmUp);
      for (let i = 0; i < times; i++) {
        const again = {
          bandwidth: await bandwidth.measure(short(roofs.bandwidth)),
          peak: await peak.measure(short(roofs.peak)),
        };
        list.push(again);
        roofs = { bandwidth: higher(roofs.bandwidth, again.bandwidth), peak: higher(roofs.peak, again.peak) };
      }
    } finally {
      bandwidth.destroy();
    }
  };
  const warmUp: TimeOptions = { span: 0, rounds: 1, repeats: 1 };
  await peak.measure(warmUp);
  await repeat(rates.before, repeats - 1);
  const ratesOf = (name: keyof Roofs): RoofRates => {
    const before = rates.before.map((roofs) => roofs[name].rate);
    const after = rates.after.map((roofs) => roofs[name].rate);
    return { before, after, spread: rangeOf([...before, ...after]) };
  };
  return {
    get roofs() {
      return roofs;
    },
    async speed() {
      const now = await peak.measure({ span: 0, rounds: roofs.peak.ms < 20 ? 3 : 1, repeats: 1 });
      return now.work / now.fastest / (roofs.peak.work / roofs.peak.ms);
    },
    async finish() {
      await repeat(rates.after, repeats);
      const spreads = { bandwidth: ratesOf('bandwidth'), peak: ratesOf('peak') };
      return { ...spreads, busy: Math.max(spreads.bandwidth.spread, spreads.peak.spread) > maxSpread };
    },
    destroy: () => peak.destroy(),
  };
}
