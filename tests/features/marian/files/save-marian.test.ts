// What the writer of Marian's files says of models that Marian's published engine decodes otherwise.
import { describe, expect, it } from 'vitest';
import { engineWarnings } from '../../../../src/features/marian/files/save-marian.ts';
import { type ModelOptions, modelConfig } from '../../../../src/model/model-config.ts';

const optionsIn = (fields: Partial<ModelOptions>) =>
  engineWarnings(modelConfig({ srcVocab: 20, tgtVocab: 20, ...fields })).map(({ holes }) =>
    holes.flatMap((hole) => {
      if (typeof hole !== 'object' || !('type' in hole)) return [];
      if (hole.type === 'offer') return Object.keys(hole.values);
      return hole.type === 'option' ? [hole.name] : [];
    }),
  );

describe('a warning', () => {
  it.each([
    ['a norm before sublayers', { norm: 'pre' }],
    ['norms before and after them', { sublayerSteps: 'n:dan' }],
  ] as const)('names the option that helps for %s', (_, fields) => {
    expect(optionsIn(fields)).toEqual([['normQueriesOnly', 'norm']]);
  });

  it('names feed-forward blocks of another depth in the decoder', () => {
    expect(optionsIn({ decoderFeedForwardDepth: 3 })).toEqual([
      ['decoderFeedForwardDepth', 'feedForwardDepth'],
    ]);
  });

  it.each([
    ['norms after sublayers', {}],
    ['norms before sublayers, of queries only', { norm: 'pre', normQueriesOnly: true }],
    ['deep blocks in both', { feedForwardDepth: 3 }],
  ] as const)('is not for %s', (_, fields) => {
    expect(optionsIn(fields)).toEqual([]);
  });
});
