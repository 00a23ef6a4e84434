// A trained model as one safetensors file: its metadata holds, as text, the other files of its folder, config.json and the tokenizers.
// So the weights file of any folder that heddle writes is a whole model by itself; it has no checkpoint to go on from.

import { HeddleError } from '../core/errors.ts';
import { readSafetensorsHeader } from './safetensors.ts';

/** Names of the files of a model folder. */
export const modelFileNames = {
  config: 'config.json',
  weights: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  source: 'source-tokenizer.json',
  target: 'target-tokenizer.json',
} as const;

/** The files that metadata may hold. */
const told: readonly string[] = [
  modelFileNames.config,
  modelFileNames.tokenizer,
  modelFileNames.source,
  modelFileNames.target,
];

/** The metadata of a model's weights: `format`, and the texts of the folder's other files. */
export function modelMetadata(format: string, parts: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  const texts = told.flatMap((name) => {
    const bytes = parts[name];
    return bytes ? [[name, new TextDecoder().decode(bytes)]] : [];
  });
  return { format, ...Object.fromEntries(texts) };
}

/** The folder of a model in one safetensors file, by names. Throws a HeddleError where the file holds weights alone. */
export function unpackSafetensorsModel(bytes: Uint8Array, path: string): Record<string, Uint8Array> {
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, path);
  if (metadata[modelFileNames.config] === undefined)
    throw new HeddleError(
      `${path}: it holds weights alone, without the ${modelFileNames.config} and tokenizers that heddle puts into its metadata; take the whole folder, or a .zip of it`,
    );
  const texts = told.flatMap((name) => {
    const text = metadata[name];
    return text === undefined ? [] : [[name, new TextEncoder().encode(text)]];
  });
  return { ...Object.fromEntries(texts), [modelFileNames.weights]: bytes };
}
