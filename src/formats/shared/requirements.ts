// Requirements of export formats: the values that fields of the model configuration must have.

import { HeddleError } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import type { ModelConfig } from '../../model/model-config.ts';

/** A field, its value, the required value, and whether it is met (default: the two are equal). */
export type FieldRequirement = readonly [field: string, value: unknown, required: unknown, met?: boolean];

/** Throws a HeddleError that lists every field whose requirement is not met. */
export function requireFields(format: string, requirements: readonly FieldRequirement[]): void {
  const wrong = requirements.filter(([, value, required, met = value === required]) => !met);
  if (wrong.length > 0)
    throw new HeddleError(
      msg`${format} does not support this model: ${listed(
        wrong.map(
          ([field, value, required]) =>
            msg`${field} is ${JSON.stringify(value)}, it must be ${String(required)}`,
        ),
        '; ',
      )}`,
    );
}

/** Requires heads * headWidth = dModel in both stacks, as most formats do. */
export const sharedWidths = (c: ModelConfig): FieldRequirement[] => [
  ['headWidth', c.headWidth, `dModel / heads, ${c.dModel / c.heads}`, c.heads * c.headWidth === c.dModel],
  [
    'decoderHeadWidth',
    c.decoderHeadWidth,
    `dModel / decoderHeads, ${c.dModel / c.decoderHeads}`,
    c.decoderHeads * c.decoderHeadWidth === c.dModel,
  ],
];

/** Requires that fields equal the `wanted` values. */
export const sameFields = (c: ModelConfig, wanted: Partial<ModelConfig>): FieldRequirement[] =>
  Object.entries(wanted).map(([field, value]) => [field, c[field as keyof ModelConfig], value]);

/** Requires what models of other tools than Marian have. */
export const ordinaryFields = (c: ModelConfig): FieldRequirement[] => [
  ...sameFields(c, { decoderSelfAttention: 'attention', sublayerSteps: '', normQueriesOnly: false }),
  ...sameFields(c, { feedForwardDepth: 2, decoderFeedForwardDepth: 2 }),
  ['decoderTiedLayers', c.decoderTiedLayers, 'empty', c.decoderTiedLayers.length === 0],
  ['padId', c.padId, 'the id of a token', c.padId >= 0],
  ['startId', c.startId, 'the id of a token', c.startId >= 0],
];

/**
 * Requires what nn.Transformer has: layer norm, biases, scaled scores, a plain feed-forward network, absolute
 * positions, as many in the encoder as in the decoder.
 */
export const classicFields = (c: ModelConfig): FieldRequirement[] => [
  ...ordinaryFields(c),
  ...sameFields(c, { source: 'tokens', normType: 'layer', feedForwardType: 'plain', biases: true }),
  ...sameFields(c, { keyBias: true }),
  ['maxSource', c.maxSource, `maxLength, ${c.maxLength}`, c.maxSource === c.maxLength],
  ...sameFields(c, { attentionScale: true, scaleOutput: false }),
  ['activation', c.activation, 'relu, gelu or silu', ['relu', 'gelu', 'silu'].includes(c.activation)],
  ['tie', c.tie, 'none, target or all', c.tie !== 'embeddings'],
  [
    'positions',
    c.positions,
    'sinusoidal, sinusoidal-halves or learned',
    ['sinusoidal', 'sinusoidal-halves', 'learned'].includes(c.positions),
  ],
];
