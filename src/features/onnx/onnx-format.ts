// What the table of formats says of the ONNX export.

import type { ModelFormat } from '../../formats/model-format.ts';

/**
 * Storage of matrices and embeddings in ONNX files. `q8` is int8 with a scale per row, the same numbers as
 * `--weights int8`. `q4` and `q4f16` have the numbers of `--weights int4`, with the scales of the blocks in f32 or
 * f16. Computation is in float32 with each of them.
 */
export const onnxDtypes = ['fp32', 'fp16', 'q8', 'q4', 'q4f16'] as const;
/** Storage of weights in ONNX files. */
export type OnnxDtype = (typeof onnxDtypes)[number];

/** The row of the format without its code. */
export const onnxFacts = {
  names: ['onnx'],
  title: 'a folder for transformers.js',
  dtypes: onnxDtypes,
  defaultDtype: 'fp32',
  usage: (name) => [
    'transformers.js, with the folder below `models`:',
    '',
    '```js',
    'import { env, pipeline } from "@huggingface/transformers";',
    '',
    'env.allowRemoteModels = false;',
    "env.localModelPath = 'models/';",
    `const translator = await pipeline('translation', '${name}');`,
    "console.log(await translator('Good morning.'));",
    '```',
  ],
} satisfies ModelFormat;
