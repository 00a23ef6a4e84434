// What the table of formats says of the PyTorch format.

import type { ModelFormat } from '../../formats/model-format.ts';

/** `format` of config.json. */
export const pytorchFormat = 'pytorch';

/** The row of the format without its code. */
export const pytorchFacts = {
  names: ['pytorch'],
  title: 'state_dict with an nn.Transformer',
  isConfig: ({ format, model_type: type, d_model: width, n_heads: heads }) =>
    format === pytorchFormat ||
    (format === undefined && type === undefined && width !== undefined && heads !== undefined),
} satisfies ModelFormat;
