// The export for transformers.js: an archive of ONNX files, with the model of heddle beside them, so that the page and the
// command read the archive too.

import type { SaveOptions } from '../../../src/entries/heddle.ts';
import { unzip, zipParts } from '../../../src/entries/host.ts';
import type { AnyModel } from '../guests/train-guests.ts';

/** Name of the model of heddle in the archive, by which it is read. */
const ownModelName = 'heddle.safetensors';

/** The archive; its weights are int8 in both, the same numbers. */
export async function exportForTransformers(
  model: AnyModel,
  onWarning: NonNullable<SaveOptions['onWarning']>,
): Promise<Blob> {
  const graphs = await unzip(await model.toBlob({ format: 'onnx', dtype: 'q8', onWarning }), 'onnx');
  const own = await unzip(await model.toBlob({ dtype: 'int8', card: false }), 'heddle');
  const { 'model.safetensors': weights } = own;
  const parts = zipParts(weights ? { ...graphs, [ownModelName]: weights } : graphs);
  return new Blob(parts as BlobPart[], { type: 'application/zip' });
}
