// The loss curve of a run in a link: at most 200 points, each as the differences to the point before it.

import { HeddleError } from '../../../src/entries/heddle.ts';
import type { LogStep } from '../../../src/entries/reports.ts';
import { say } from '../../common/page-texts.ts';
import { Series } from './averaged-series.ts';

/** Points of a curve: step and mean loss since the point before. */
export type Curve = readonly (readonly [step: number, loss: number])[];

/** Maximum number of points. */
const maxPoints = 200;

/** Losses are multiples of this part; a curve of larger losses has none that can be compared. */
const [parts, maxLoss] = [1000, 1e6];

/** The loss curve of a run, in a few points. */
export function curveOf(steps: readonly Pick<LogStep, 'step' | 'loss'>[]): Curve {
  const series = new Series(maxPoints);
  for (const { step, loss } of steps) series.add(step, Math.min(loss, maxLoss));
  return series.xs.map((x, i) => [x, series.ys[i] as number]);
}

/** A curve as text for the fragment of an address: base64url of variable-length integers. */
export function packCurve(curve: Curve): string {
  const bytes: number[] = [];
  const put = (n: number): void => {
    let left = n;
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push(128 + (left % 128));
    bytes.push(left);
  };
  let [lastStep, lastLoss] = [0, 0];
  for (const [step, loss] of curve) {
    const rounded = Math.round(loss * parts);
    const change = rounded - lastLoss;
    put(step - lastStep);
    put(change < 0 ? -2 * change - 1 : 2 * change); // zigzag: small numbers of either sign stay short
    [lastStep, lastLoss] = [step, rounded];
  }
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The curve in a text of `packCurve`. Throws a HeddleError if it is none. */
export function unpackCurve(text: string): Curve {
  const numbers: number[] = [];
  let [value, scale] = [0, 1];
  for (const byte of bytesOf(text)) {
    value += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    numbers.push(value);
    [value, scale] = [0, 1];
  }
  const curve: [number, number][] = [];
  let [step, loss] = [0, 0];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const [by, change] = [numbers[i] as number, numbers[i + 1] as number];
    step += by;
    loss += change % 2 === 1 ? -(change + 1) / 2 : change / 2;
    if (by === 0 || loss < 0 || loss > maxLoss * parts || !Number.isSafeInteger(step)) throw broken();
    curve.push([step, loss / parts]);
  }
  if (curve.length === 0 || curve.length > maxPoints || scale > 1 || numbers.length % 2 === 1) throw broken();
  return curve;
}

const broken = () => new HeddleError(say`its curve is damaged or cut off`);

function bytesOf(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  } catch {
    throw broken();
  }
}

/** A curve as a series of a chart. */
export function seriesOf(curve: Curve): Series {
  const series = new Series();
  for (const [step, loss] of curve) series.add(step, loss);
  return series;
}

/** How a run compares with a curve at a step: mean losses of the same steps. */
export interface Comparison {
  readonly step: number;
  readonly own: number;
  readonly other: number;
}

/** Compares a run with a curve at its last point that the run has reached; undefined before that. */
export function compare({ xs, ys }: Pick<Series, 'xs' | 'ys'>, curve: Curve): Comparison | undefined {
  const reached = xs.at(-1) ?? 0;
  const at = curve.findLastIndex(([step]) => step <= reached);
  const [step = 0, other = 0] = curve[at] ?? [];
  const [from = 0] = curve[at - 1] ?? [];
  const own = ys.filter((_, i) => (xs[i] as number) > from && (xs[i] as number) <= step);
  if (own.length === 0) return undefined;
  return { step, own: own.reduce((sum, y) => sum + y, 0) / own.length, other };
}
