// The engine on onnxruntime-web: decoding equals that of the float64 references.

import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { DecodeOptions } from '../../../src/decode/decode-options.ts';
import { Translator } from '../../../src/decode/translator.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { onnxEngine } from '../../../src/features/onnx/onnx-engine.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { quantizedParameters } from '../../../src/model/quantized-parameters.ts';
import { itInFull } from '../../support/in-full.ts';
import { letterModel } from '../../support/saved-model.ts';

const texts = ['abc', 'e', 'bad cab', '', 'dabced abbcd'];

/** Fields of the configuration of a model, and options of a decoding with it. */
const cases: readonly (readonly [name: string, Partial<ModelOptions>, DecodeOptions])[] = [
  ['beams', { hidePadding: true }, { beams: 3, numReturn: 2 }],
  [
    'rules',
    { positions: 'relative', normType: 'rms', feedForwardType: 'gated', biases: false, tie: 'all' },
    { noRepeatNgramSize: 2, minNewTokens: 3, suppressTokens: [5], forceEos: true },
  ],
  [
    'samples',
    { positions: 'learned', norm: 'pre', embeddingNorm: true, activation: 'silu' },
    { method: 'sample', numReturn: 2, seed: 3, topK: 5 },
  ],
  ['greedy', {}, {}],
];

describe('decodes as the references do', () => {
  it.each(cases.slice(0, 2))('%s', decodesEqually);
  itInFull.each(cases.slice(2))('%s', decodesEqually);
});

async function decodesEqually(_: string, fields: Partial<ModelOptions>, options: DecodeOptions) {
  const model = letterModel(22, fields);
  const shape = { batch: 3, maxSource: 16, maxTarget: 8 };
  const wasm = onnxEngine(ort);
  const found = (await new Translator(wasm, model, { shape }).generate(texts, options)).flat();
  const expected = (await new Translator(cpuEngine(), model, { shape }).generate(texts, options)).flat();
  expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
  for (const [i, { logProb }] of found.entries()) expect(logProb).toBeCloseTo(expected[i]?.logProb ?? 0, 4);
  wasm.destroy();
}

it('has a table that is tied to the output projection once: the host looks rows up', async () => {
  const model = letterModel(22, { tie: 'all' });
  const files: Uint8Array[] = [];
  const runtime = {
    ...ort,
    InferenceSession: {
      create(file: Uint8Array, options: ort.InferenceSession.SessionOptions) {
        files.push(file, ...(options.externalData ?? []).map((each) => (each as { data: Uint8Array }).data));
        return ort.InferenceSession.create(file, options);
      },
    },
  } as unknown as typeof ort;
  const wasm = onnxEngine(runtime);
  await new Translator(wasm, model, { shape: { batch: 1, maxSource: 16, maxTarget: 8 } }).generate(
    ['abc'],
    {},
  );
  wasm.destroy();
  const { dModel, srcVocab } = model.config;
  const at = parameterList(model.config).byName.get('src_embed.weight')?.offset ?? Number.NaN;
  const numbers = (from: number, step: number, count: number) => {
    const found = Float32Array.from(
      { length: count },
      (_, i) => model.weights[from + i * step] ?? Number.NaN,
    );
    return Buffer.from(found.buffer);
  };
  /** How often the models have some numbers of the table. */
  const times = (wanted: Buffer) => files.filter((file) => Buffer.from(file).includes(wanted)).length;
  expect(times(numbers(at + 5 * dModel, 1, dModel)), 'rows').toBe(0);
  expect(times(numbers(at, dModel, srcVocab)), 'columns').toBe(1);
});

it.each(['int8'] as const)('looks up rows of %s', looksUpRows);
itInFull.each(['f16', 'int4'] as const)('looks up rows of %s', looksUpRows);

async function looksUpRows(format: 'f16' | 'int8' | 'int4') {
  const model = letterModel(22, { tie: 'all' });
  const parameters = quantizedParameters(parameterList(model.config), format);
  const options = { shape: { batch: 3, maxSource: 16, maxTarget: 8 }, parameters };
  const wasm = onnxEngine(ort);
  const found = (await new Translator(wasm, model, options).generate(texts, {})).flat();
  const expected = (await new Translator(cpuEngine(), model, options).generate(texts, {})).flat();
  wasm.destroy();
  expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
}
