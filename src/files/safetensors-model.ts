// A model in one safetensors file: the metadata holds config.json and the tokenizers as text. Every
// model.safetensors that heddle writes is a complete model, without the training state of a checkpoint.

import { HeddleError } from '../core/errors.ts';
import { modelFileNames } from './model-file.ts';
import { readSafetensorsHeader } from './safetensors.ts';

/** Files that the metadata may hold: all but the weights. */
const embedded = Object.values(modelFileNames).filter((name) => name !== modelFileNames.weights);

/** Metadata of a model.safetensors: `format`, and the text of the other files of the folder. */
export function modelMetadata(
  format: string,
  parts: Readonly<Record<string, Uint8Array>>,
): Record<string, string> {
  const texts = embedded.flatMap((name) => {
    const bytes = parts[name];
    return bytes ? [[name, new TextDecoder().decode(bytes)]] : [];
  });
  return { format, ...Object.fromEntries(texts) };
}

/**
 * The files of a model folder from one safetensors file. Throws a HeddleError if the file has only weights.
 */
export function unpackSafetensorsModel(bytes: Uint8Array, path: string): Record<string, Uint8Array> {
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, path);
  if (metadata[modelFileNames.config] === undefined)
    throw new HeddleError(
      `${path}: it has only weights; its metadata lacks ${modelFileNames.config} and the tokenizers. Use the model's folder, or a .zip of it`,
      { kind: 'input' },
    );
  const texts = embedded.flatMap((name) => {
    const text = metadata[name];
    return text === undefined ? [] : [[name, new TextEncoder().encode(text)]];
  });
  return { ...Object.fromEntries(texts), [modelFileNames.weights]: bytes };
}
