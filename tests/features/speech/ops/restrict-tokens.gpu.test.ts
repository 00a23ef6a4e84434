// Rules that forbid tokens, on the GPU: bit masks, and time stamps after each kind of history.

import { expect, it } from 'vitest';
import {
  restrictionSizes,
  restrictTokensOp,
  shiftRowsOp,
  type TokenRestrictions,
  writeRestrictions,
} from '../../../../src/features/speech/ops/restrict-tokens.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

const vocab = 70;
const stamps = { first: 60, end: 50, maxInitial: 3 };

function inputsOf(
  rules: TokenRestrictions,
  histories: readonly (readonly number[])[],
  cols: number,
  scale = 1,
) {
  const sizes = restrictionSizes(vocab);
  const [masks, settings] = [new Uint32Array(sizes.masks), new Int32Array(sizes.settings)];
  writeRestrictions(masks, settings, rules);
  const width = 8;
  const history = histories.flatMap((ids) => [...ids, ...new Array<number>(width - ids.length).fill(0)]);
  return {
    logits: randomTensor([histories.length, 1, cols], 5, scale),
    history: integers('i32', [histories.length, width], history),
    masks: integers('u32', [sizes.masks], masks),
    settings: integers('i32', [sizes.settings], settings),
    step: 'step' as const,
  };
}

// The prompt is one token; each row is a history of so many tokens.
const histories: readonly (readonly (readonly number[])[])[] = [
  [[51], [51]],
  [
    [51, 61],
    [51, 7],
  ],
  [
    [51, 61, 7],
    [51, 61, 61],
    [51, 7, 63],
  ],
  [
    [51, 60, 7, 64],
    [51, 60, 9, 8],
    [51, 60, 64, 64],
  ],
];

it.each(histories)('follows the rules of stamps after %j', async (...rows) => {
  for (const scale of [0.1, 4])
    await checkOp(restrictTokensOp, {
      inputs: inputsOf(
        { prompt: 1, banned: [3, 59], bannedFirst: [50], stamps, watched: 4 },
        rows,
        72,
        scale,
      ),
      attrs: { vocab },
      step: { position: (rows[0]?.length ?? 1) - 1 },
      tolerance: 1e-5,
    });
});

it('allows only some tokens, and bans others at the start', async () => {
  const rows = [[51], [7]];
  const rules = { prompt: 1, banned: [], bannedFirst: [5], only: [5, 6, 7] };
  await checkOp(restrictTokensOp, { inputs: inputsOf(rules, rows, vocab), attrs: {} });
  const free = { prompt: 4, banned: [1], bannedFirst: [2] };
  await checkOp(restrictTokensOp, { inputs: inputsOf(free, rows, vocab), attrs: {} });
});

it('adds a number to each row', async () => {
  const inputs = { x: randomTensor([3, 5], 1), shift: randomTensor([3], 2) };
  await checkOp(shiftRowsOp, { inputs, attrs: {} });
  expect(() => shiftRowsOp.shape({ x: inputs.x, shift: randomTensor([2], 1) }, {})).toThrow(
    errorAbout({ area: 'shift_rows', values: ['shift'] }),
  );
});
