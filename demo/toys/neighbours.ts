// The tokens whose embeddings point the same way as that of a token: for the page Learn.

import type { Model } from '../../src/api/model.ts';
import { tokenLabel } from '../../src/text/tokenizers/tokenizer.ts';

/** A token, and the cosine of the angle between its embedding and another one. */
export interface Neighbour {
  readonly label: string;
  readonly cosine: number;
}

/** The `count` nearest source tokens of a token, best first; those without a text and the token itself are left out. */
export function neighboursOf(
  model: Pick<Model, 'weights' | 'tokenizers'>,
  id: number,
  count: number,
): Neighbour[] {
  const { data, shape } = model.weights()['src_embed.weight'] as {
    data: Float32Array;
    shape: readonly number[];
  };
  const [vocabulary = 0, width = 0] = shape;
  const row = (token: number) => data.subarray(token * width, (token + 1) * width);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  const own = row(id);
  const { source } = model.tokenizers;
  return Array.from({ length: vocabulary }, (_, token): Neighbour => {
    const other = row(token);
    const length = Math.sqrt(dot(own, own) * dot(other, other));
    return {
      label: tokenLabel(source, token),
      cosine: length > 0 && token !== id ? dot(own, other) / length : -1,
    };
  })
    .filter(({ label }) => /[\p{L}\p{N}]/u.test(label) && !/^[[<]/.test(label))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, count);
}
