// The multipliers of the inputs of int8 products (QuantMultA) from the largest inputs that were measured, as
// Mozilla's pipeline computes them: 127 / (mean + 1.1 standard deviations of the maxima of all calls).

import type { ModelConfig } from '../../../model/model-config.ts';
import { parameterList } from '../../../model/parameters.ts';
import type { InputMaxima } from '../product-inputs.ts';
import { multiplierSuffix } from './marian-items.ts';
import { tensorNamesOf } from './marian-tensors.ts';
import { isInt8Name } from './write-marian.ts';

/** Name of the output product under a shortlist, whose matrix has no name. */
const withShortlist = `none${multiplierSuffix}`;

/** The multiplier of inputs with these maxima. */
export function multiplierOf(maxima: readonly number[]): number {
  const mean = maxima.reduce((sum, x) => sum + x, 0) / maxima.length;
  const variance = maxima.reduce((sum, x) => sum + (x - mean) ** 2, 0) / maxima.length;
  return Math.fround(127 / (mean + 1.1 * Math.sqrt(variance)));
}

/** The multipliers by their names in the file. */
export function multipliersOf(c: ModelConfig, maxima: InputMaxima): Record<string, number> {
  const { byName } = parameterList(c);
  const multipliers: Record<string, number> = {};
  for (const [matrix, all] of maxima) {
    const parameter = byName.get(matrix);
    if (!parameter || all.length === 0) continue;
    const names = tensorNamesOf(c, parameter).filter(isInt8Name);
    const value = multiplierOf(all);
    for (const name of names) {
      multipliers[`${name}${multiplierSuffix}`] = value;
      // Products with an embedding are those of the output.
      if (name.includes('Wemb')) multipliers[withShortlist] = value;
    }
  }
  return multipliers;
}
