// Statistics of the loss of a step: sums over the tokens that count, small enough to be read back every step.

import { sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';

/** The target that does not count. */
export type TokenStatsAttrs = { readonly ignore?: number | undefined };

/**
 * nll, hit and targets i32, of one shape; stats [4]: sum of nll, tokens that count, hits, 0. Ignored rows have nll =
 * hit = 0.
 */
export const tokenStatsOp = defineOp({
  name: 'token_stats',
  inputs: ['nll', 'hit', 'targets'],
  outputs: ['stats'],
  attrs: attrsOf<TokenStatsAttrs>(),
  shape({ nll, hit, targets }) {
    expectType('token_stats', 'hit', hit, 'f32', nll.shape, 'as nll');
    expectType('token_stats', 'targets', targets, 'i32', nll.shape, 'as nll');
    return { stats: tensorType('f32', [4]) };
  },
  launch({ nll, hit, targets }, { stats }, { ignore }) {
    const count = sizeOf(nll.shape);
    return [
      {
        shader: 'token-stats',
        entry: 'token_stats',
        params: { count, ignores: ignore === undefined ? 0 : 1, ignored: ignore ?? 0 },
        bind: { nll, hit, targets, stats },
        grid: [1, 1, 1],
        flops: 3 * count,
      },
    ];
  },
});

/**
 * Four numbers: sum of nll, number of targets other than `ignore`, hits among them, 0.
 *
 * @example
 * const { nll, hit } = crossEntropy(graph, logits, targets, step, { ignore: 0 });
 * graph.output('stats', tokenStats(graph, nll, hit, targets, { ignore: 0 }));
 */
export const tokenStats = (
  builder: Builder,
  nll: Value,
  hit: Value,
  targets: Value,
  { ignore }: TokenStatsAttrs = {},
): Value => builder.apply(tokenStatsOp, { nll, hit, targets }, { ignore }).stats;
