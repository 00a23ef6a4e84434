// The engine on onnxruntime-web: decoding equals that of the float64 references.

import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { DecodeOptions } from '../../src/decode/decode-options.ts';
import { Translator } from '../../src/decode/translator.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { onnxEngine } from '../../src/engine/onnx-engine.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import { itInFull } from '../support/in-full.ts';
import { letterModel } from '../support/saved-model.ts';

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
