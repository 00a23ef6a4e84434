// Arrays of batches and token indices; a training run uses the inputs of its programs instead.

import type { BatchArrays } from '../../src/text/batches/batches.ts';
import type { BatchShape } from '../../src/text/batches/buckets.ts';
import { fillTokenIndex } from '../../src/text/batches/token-index.ts';

/** Arrays for batches of a shape, with room for token indices if the vocabulary sizes are given. */
export function createBatchArrays(
  { batch: B, source: S, target: T }: BatchShape,
  vocab?: { source: number; target: number },
): BatchArrays {
  const arrays = {
    src: new Int32Array(B * S),
    tgtIn: new Int32Array(B * T),
    tgtOut: new Int32Array(B * T),
    srcLens: new Uint32Array(B),
    tgtLens: new Uint32Array(B),
  };
  if (!vocab) return arrays;
  return {
    ...arrays,
    srcRowStart: new Uint32Array(vocab.source + 1),
    srcOccurrences: new Uint32Array(B * S),
    tgtRowStart: new Uint32Array(vocab.target + 1),
    tgtOccurrences: new Uint32Array(B * T),
  };
}

/** The index of `ids` by token: rowStart [vocab + 1] and positions [ids.length]. */
export function tokenIndex(
  ids: ArrayLike<number>,
  vocab: number,
): { rowStart: Uint32Array; positions: Uint32Array } {
  const [rowStart, positions] = [new Uint32Array(vocab + 1), new Uint32Array(ids.length)];
  fillTokenIndex(rowStart, positions, ids);
  return { rowStart, positions };
}
