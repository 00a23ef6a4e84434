// The dispatches of shaders/elementwise/elementwise-ops.wgsl.

import { sizeOf } from '../../core/tensor.ts';
import { dropoutFields } from '../dropout-mask.ts';
import type { Launch, Value } from '../op.ts';
import { elementwise } from '../work-division.ts';

/** Params of the ops that have any: the site and rate of dropout, the scale of log_mean. */
export interface ElementwiseParams {
  readonly rate?: number;
  readonly site?: number;
  readonly scale?: number;
}

/** A dispatch that computes `out`, bound as y, from the values in `bind`. */
export function elementwiseLaunch(
  entry: string,
  variant: string,
  out: Value,
  bind: Launch['bind'],
  { rate = 0, site = 0, scale = 1 }: ElementwiseParams = {},
): Launch {
  const count = sizeOf(out.shape);
  const params = { count, ...dropoutFields({ rate, site }), scale };
  return { shader: 'elementwise-ops', entry, params, bind: { ...bind, y: out }, ...elementwise(variant, count) };
}
