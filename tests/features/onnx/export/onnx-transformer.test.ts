// Texts up to and past the last position in onnxruntime-web.
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { onnxFiles } from '../../../../src/features/onnx/export/save-onnx.ts';
import type { ModelOptions } from '../../../../src/model/model-config.ts';
import { errorNaming } from '../../../support/expect-error.ts';
import { letterModel } from '../../../support/saved-model.ts';

const positions: Readonly<Record<string, Partial<ModelOptions>>> = {
  'learned, as in BART': { positions: 'learned', positionOffset: 2 },
  'sinusoidal, as in MarianMT': { positions: 'sinusoidal-halves' },
  'fairseq-sinusoidal, as in M2M100': { positions: 'fairseq-sinusoidal' },
};

/** The ids of a text, and its mask, as inputs of an encoder. */
function textOf(length: number): Record<string, ort.Tensor> {
  const tensor = (value: bigint) =>
    new ort.Tensor('int64', new BigInt64Array(length).fill(value), [1, length]);
  return { input_ids: tensor(4n), attention_mask: tensor(1n) };
}

describe('a text longer than the last position', () => {
  it.each(Object.entries(positions))('of positions %s', async (kind, options) => {
    const saved = letterModel(1, options);
    const { maxLength } = saved.config;
    const model = onnxFiles(saved)['onnx/encoder_model.onnx'] as Uint8Array;
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
    const { last_hidden_state: states } = await session.run(textOf(maxLength));
    expect(states?.dims).toEqual([1, maxLength, saved.config.dModel]);
    // transformers computes more positions for M2M100; for others it has an error too.
    const longer = session.run(textOf(maxLength + 1));
    if (options.positions === 'fairseq-sinusoidal') await longer;
    else await expect(longer, kind).rejects.toThrow(errorNaming(maxLength, maxLength + 1));
    await session.release();
  });
});
