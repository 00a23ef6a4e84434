// What other layouts can express of a model: each names the fields that must have certain values, and all that do not are told at once.

import { HeddleError } from '../../core/errors.ts';
import type { ModelConfig } from '../../model/model-config.ts';

/** Fields, what they must be, and whether they are. */
export type FieldRequirement = readonly [field: string, value: unknown, wanted: unknown, holds?: boolean];

/** Throws a HeddleError that names every field which `layout` cannot express. */
export function requireFields(layout: string, demands: readonly FieldRequirement[]): void {
  const wrong = demands.filter(([, value, wanted, holds = value === wanted]) => !holds);
  if (wrong.length > 0)
    throw new HeddleError(
      `convert: ${layout} cannot express this model: ` +
        wrong.map(([field, value, wanted]) => `${field} is ${JSON.stringify(value)}, it must be ${wanted}`).join('; '),
    );
}

/** Heads that share the model's width on both sides, as most layouts have them. */
export const sharedWidths = (c: ModelConfig): FieldRequirement[] => [
  ['headWidth', c.headWidth, `dModel / heads, ${c.dModel / c.heads}`, c.heads * c.headWidth === c.dModel],
  [
    'decoderHeadWidth',
    c.decoderHeadWidth,
    `dModel / decoderHeads, ${c.dModel / c.decoderHeads}`,
    c.decoderHeads * c.decoderHeadWidth === c.dModel,
  ],
];
