// What a step reports of its loss: sums over the tokens that count, small enough to be read back every step.

import { sizeOf } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';

/** The target that does not count. */
export type TokenStatsAttrs = { readonly ignore?: number | undefined };

/** Inputs nll, hit and targets i32, of one shape; output [4]: sum of nll, tokens that count, hits, 0. Ignored rows have nll = hit = 0. */
export const tokenStatsOp = defineOp<TokenStatsAttrs>({
  name: 'token_stats',
  shape(inputs) {
    const nll = inputAt('token_stats', inputs, 0, 'nll');
    expectType('token_stats', 'hit', inputs[1], 'f32', nll.shape, 'as nll');
    expectType('token_stats', 'targets', inputs[2], 'i32', nll.shape, 'as nll');
    return [{ dtype: 'f32', shape: [4] }];
  },
  launch({ inputs, outputs, attrs: { ignore } }) {
    const [nll, hit, targets] = inputs as [Value, Value, Value];
    const count = sizeOf(nll.shape);
    return [
      {
        shader: 'token-stats',
        entry: 'token_stats',
        params: { count, ignores: ignore === undefined ? 0 : 1, ignored: ignore ?? 0 },
        bind: { nll, hit, targets, stats: outputs[0]! },
        grid: [1, 1, 1],
        flops: 3 * count,
      },
    ];
  },
  reference({ attrs: { ignore }, inputs: [nll, hit, targets], outputs: [stats] }) {
    for (let i = 0; i < nll!.data.length; i++) {
      stats!.data[0]! += nll!.data[i]!;
      stats!.data[1]! += ignore !== undefined && targets!.data[i] === ignore ? 0 : 1;
      stats!.data[2]! += hit!.data[i]!;
    }
  },
});

/** [4]: sum of nll, number of targets other than `ignore`, hits among them, 0. */
export function tokenStats(
  builder: Builder,
  nll: Value,
  hit: Value,
  targets: Value,
  { ignore }: TokenStatsAttrs = {},
): Value {
  return builder.apply(tokenStatsOp, [nll, hit, targets], { ignore })[0]!;
}
