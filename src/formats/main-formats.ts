// The table of the model formats of the main house. Its rows load the code of a format when it is needed.

import { check } from '../core/errors.ts';
import { modelFileNames } from '../files/model-file.ts';
import type { ModelFormat } from './model-format.ts';
import { type HfType, hfTypes } from './shared/hf-types.ts';
import {
  type HeddleDtype,
  heddleDtypes,
  heddleFormat,
  kerasFormat,
  type WeightDtype,
  weightDtypes,
} from './shared/saved-model.ts';

const heddle: ModelFormat = {
  names: ['heddle'],
  title: "heddle's own format",
  dtypes: heddleDtypes,
  defaultDtype: 'f32',
  isConfig: ({ format }) => format === heddleFormat,
  async read({ files, path, config = {}, readOrigin, sourceKinds }) {
    return (await import('./heddle.ts')).loadHeddle(files, path, config, readOrigin, sourceKinds);
  },
  async readConfig(config, path) {
    return (await import('./heddle.ts')).readHeddleConfig(config, path);
  },
  async write({ model, dtype }) {
    return (await import('./save-heddle.ts')).heddleFiles(model, dtype as HeddleDtype | undefined);
  },
};

const huggingFace: ModelFormat = {
  names: hfTypes,
  title: "models of Hugging Face's transformers",
  dtypes: weightDtypes.map((dtype) => dtype.toLowerCase()),
  defaultDtype: 'that of the source checkpoint, or f32',
  isConfig: ({ model_type: type }) => type !== undefined,
  // MarianMT weights may come without a config.json.
  isFolder: (files, path) => files.exists(`${path}/${modelFileNames.weights}`),
  usage: (name) => [
    'transformers:',
    '',
    '```python',
    'from transformers import AutoModelForSeq2SeqLM, AutoTokenizer',
    '',
    `tokenizer = AutoTokenizer.from_pretrained("${name}")`,
    `model = AutoModelForSeq2SeqLM.from_pretrained("${name}")`,
    'tokens = model.generate(**tokenizer("Good morning.", return_tensors="pt"))',
    'print(tokenizer.batch_decode(tokens, skip_special_tokens=True))',
    '```',
    '',
    `heddle: \`await loadModel('${name}')\`, or \`npx heddle translate ${name} "Good morning."\`.`,
  ],
  async read({ files, path, config, inParts, sourceKinds }) {
    return (await import('./hf/load-hf.ts')).loadHf(files, path, config, sourceKinds, inParts);
  },
  async readConfig(config, path) {
    return (await import('./hf/hf-config.ts')).readHfConfig(config, undefined, undefined, path).config;
  },
  async readOrigin(files, path, json, config) {
    return (await import('./hf/load-hf.ts')).readHfOrigin(files, path, json, config);
  },
  async write({ model, format, dtype, onWarning }) {
    const { hfFiles } = await import('./hf/save-hf.ts');
    const files = hfFiles(model, format as HfType, dtype?.toUpperCase() as WeightDtype | undefined);
    const { symbolDifference } = await import('./hf/transformers-tokenizer.ts');
    const difference = !model.sourceCheckpoint && symbolDifference(model.source);
    if (difference) onWarning?.(difference);
    return files;
  },
};

const keras: ModelFormat = {
  names: ['keras'],
  title: "the model of Keras's translation example",
  isConfig: ({ format }) => format === kerasFormat,
  async read({ files, path, config = {}, readOrigin }) {
    return (await import('./keras.ts')).loadKeras(files, path, config, readOrigin);
  },
  async write({ model }) {
    return (await import('./keras.ts')).kerasFiles(model);
  },
};

const lora: ModelFormat = {
  names: ['lora'],
  title: 'only the LoRA adapter that the training made, as PEFT stores it',
  async write({ model, lora: adapter }) {
    check(adapter, 'the model has no LoRA adapter; train with { lora: { rank } }', { area: 'save' });
    return (await import('./lora-folder.ts')).loraFiles(model.config, adapter, adapter.base);
  },
};

/** The formats of the main house. */
export const mainFormats: readonly ModelFormat[] = [heddle, huggingFace, keras, lora];

/** All formats. Guests come first: a folder of theirs without a config.json may also have a file of weights. */
export const allFormats = (guests: readonly ModelFormat[]): readonly ModelFormat[] => [
  ...guests,
  ...mainFormats,
];
