// A Whisper model as ONNX graphs: the logits of onnxruntime-web are those of a golden case.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { relativeError } from '../../../src/core/relative-error.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { onnxFiles } from '../../../src/features/onnx/export/save-onnx.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { loadModelFolder } from '../../support/load-folder.ts';

const folder = 'tests/fixtures/golden-drawn/whisper-2';
const tensorOf = (file: string, name: string): Tensor =>
  readSafetensors(readFileSync(`${folder}/${file}`))[name] as Tensor;

it('Whisper has the logits of a golden case in onnxruntime-web', async () => {
  const saved = await loadModelFolder(nodeFiles(), folder);
  const files = onnxFiles(saved);
  const open = (name: string) =>
    ort.InferenceSession.create(files[`onnx/${name}.onnx`] as Uint8Array, { logSeverityLevel: 4 });
  const [encoder, decoder] = await Promise.all([open('encoder_model'), open('decoder_model_merged')]);
  const features = tensorOf('expected.safetensors', 'input_features');
  const { last_hidden_state: states } = await encoder.run({
    input_features: new ort.Tensor('float32', Float32Array.from(features.data), features.shape),
  });
  const target = tensorOf('batch.safetensors', 'decoder_input_ids');
  const ids = new ort.Tensor('int64', BigInt64Array.from([...target.data].map(BigInt)), target.shape);
  const { decoderHeads: heads, dModel } = saved.config;
  const past = decoder.inputNames
    .filter((name) => name.startsWith('past_key_values'))
    .map((name) => [name, new ort.Tensor('float32', [], [1, heads, 0, dModel / heads])]);
  const { logits } = await decoder.run({
    input_ids: ids,
    encoder_hidden_states: states as ort.Tensor,
    ...Object.fromEntries(past),
  });
  const expected = tensorOf('expected.safetensors', 'logits');
  expect(logits?.dims).toEqual(expected.shape);
  expect(relativeError(logits?.data as Float32Array, expected.data)).toBeLessThan(1e-4);
  await Promise.all([encoder.release(), decoder.release()]);
});
