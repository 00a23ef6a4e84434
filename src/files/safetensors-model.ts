// A model in one safetensors file: the metadata holds config.json and the tokenizers as text. Every
// model.safetensors that heddle writes is a complete model, without the training state of a checkpoint.

import { modelFileNames } from './model-file.ts';

/** Files that the metadata may hold: all but the weights. */
export const embeddedNames = Object.values(modelFileNames).filter((name) => name !== modelFileNames.weights);

/** Metadata of a model.safetensors: `format`, and the text of the other files of the folder. */
export function modelMetadata(
  format: string,
  parts: Readonly<Record<string, Uint8Array>>,
): Record<string, string> {
  const texts = embeddedNames.flatMap((name) => {
    const bytes = parts[name];
    return bytes ? [[name, new TextDecoder().decode(bytes)]] : [];
  });
  return { format, ...Object.fromEntries(texts) };
}
