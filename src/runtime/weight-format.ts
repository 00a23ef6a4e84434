// What is told of weights that are kept in fewer bits.

import type { ModelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { type WeightFormat, weightBytes } from '../model/quantized-parameters.ts';
import { mib } from '../plan/plan.ts';

/** `weights as int8: 0.80 MiB, 2.87 MiB as f32; the largest plan takes 3.10 MiB`; of the plan only where there is one. */
export function describeWeights(
  c: ModelConfig,
  format: WeightFormat,
  bytes: { readonly weights: number; readonly peak: number },
): string {
  const plan = bytes.peak > 0 ? `; the largest plan takes ${mib(bytes.peak)}` : '';
  return `weights as ${format}: ${mib(bytes.weights)}, ${mib(weightBytes(parameterList(c)))} as f32${plan}`;
}
