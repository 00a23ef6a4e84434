// The matrices that quantization-aware training rounds to 8 bits: those that Marian and Firefox store as int8.

import type { RoundedMatrix } from '../../engine/graph/rounded-weights.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { isQuantized } from '../../model/quantized-parameters.ts';

/**
 * The matrices and embeddings of a model in its parameter buffer. Joined projections have a part, with a scale of its
 * own, for each of them: queries, keys and values; keys and values; the two products of an SSRU.
 */
export const roundedMatrices = (p: ParameterList): RoundedMatrix[] =>
  p.all.filter(isQuantized).map(({ name, offset, shape, parts = 1 }) => ({ name, offset, shape, parts }));
