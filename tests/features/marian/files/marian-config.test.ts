// model.yml and decoder.yml of Marian as a configuration and decoding rules.

import { describe, expect, it } from 'vitest';
import { readMarianConfig, readMarianRules } from '../../../../src/features/marian/files/marian-config.ts';
import { parseYaml } from '../../../../src/features/marian/files/marian-yaml.ts';
import { modelYaml } from '../../../../src/features/marian/files/model-yaml.ts';
import { type ModelOptions, modelConfig } from '../../../../src/model/model-config.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const firefox: ModelOptions = {
  srcVocab: 20,
  tgtVocab: 20,
  dModel: 15,
  heads: 3,
  feedForward: 7,
  tie: 'all',
  maxLength: 1024,
  decoderSelfAttention: 'ssru',
  positions: 'marian-sinusoidal',
  finalNorm: false,
  layerNormEps: 1e-6,
  padId: -1,
  startId: -1,
  endId: 0,
  alignmentHead: 0,
};
const item = (...shape: number[]) => ({ shape, data: new Float32Array(0) });
const read = (yaml: string) => {
  const tensors = new Map([['Wemb', item(20, 15)]]);
  return readMarianConfig(parseYaml(yaml, 'model.yml'), tensors, 'model.yml').config;
};

describe('a configuration', () => {
  it.each<Partial<ModelOptions>>([
    {},
    { decoderSelfAttention: 'attention', activation: 'quick-gelu' },
    { norm: 'pre', normQueriesOnly: true },
    { norm: 'pre', finalNorm: true, embeddingNorm: true },
    { sublayerSteps: 'n:dan', decoderLayers: 3, decoderTiedLayers: [1, 2, 1] },
    { feedForwardDepth: 3, decoderFeedForwardDepth: 2, decoderFeedForward: 9, activation: 'silu' },
    { tie: 'embeddings', outputBias: false },
  ])('is the same after it is written and read: %o', (fields) => {
    const c = modelConfig({ ...firefox, ...fields });
    expect(read(modelYaml(c))).toEqual(c);
  });

  const yaml = modelYaml(modelConfig(firefox));
  it.each([
    [
      'layer-normalization: false',
      'layer-normalization: true',
      { area: 'model.yml', values: ['layer-normalization', 'true'] },
    ],
    [
      'transformer-decoder-autoreg: rnn',
      'transformer-decoder-autoreg: average-attention',
      { area: 'model.yml', values: ['transformer-decoder-autoreg', '"average-attention"'] },
    ],
    ['dec-cell: ssru', 'dec-cell: gru', { area: 'model.yml', values: ['dec-cell', '"gru"'] }],
    [
      'transformer-postprocess: dan',
      'transformer-postprocess: dhn',
      { area: 'model.yml', values: ['transformer-postprocess', '"dhn"'] },
    ],
    [
      'transformer-no-projection: false',
      'transformer-no-projection: true',
      { area: 'model.yml', values: ['transformer-no-projection', 'true'] },
    ],
    [
      'transformer-pool: false',
      'transformer-pool: true',
      { area: 'model.yml', values: ['transformer-pool', 'true'] },
    ],
    ['lemma-dim-emb: 0', 'lemma-dim-emb: 8', { area: 'model.yml', values: ['lemma-dim-emb', '8'] }],
    ['ulr: false', 'ulr: true', { area: 'model.yml', values: ['ulr', 'true'] }],
    ['right-left: false', 'right-left: true', { area: 'model.yml', values: ['right-left', 'true'] }],
    ['type: transformer', 'type: s2s', { area: 'model.yml', values: ['type', '"s2s"'] }],
    [
      'skip: false',
      'transformer-new-thing: 3',
      { area: 'model.yml', values: ['transformer-new-thing', '3'] },
    ],
    ['dim-emb: 15', 'dim-emb: 16', { area: 'model.yml', values: ['dim-emb', '16'] }],
  ])('%s: %s is refused by name', (from, to, expected) => {
    expect(yaml).toContain(from);
    expect(() => read(yaml.replace(from, to))).toThrow(errorAbout(expected));
  });

  it.each([
    ['last', 0],
    ['2', 0],
    ['1', -1],
  ])('reads word alignments from the first head of the last layer: layer %s', (layer, head) => {
    expect(yaml).toContain('dec-depth: 2\n');
    const text = yaml.replace('alignment-layer: last', `alignment-layer: ${layer}`);
    expect(read(text).alignmentHead).toBe(head);
  });

  it('normalizes only the queries of old pre-norm models', () => {
    const c = modelConfig({ ...firefox, norm: 'pre' });
    const of = (version: string) =>
      read(modelYaml(c).replace(/version: .*/, `version: ${version}`)).normQueriesOnly;
    expect(['v1.9.56 abc', 'v1.10.27', 'v1.10.28', 'v1.12.14', '2.0.0'].map(of)).toEqual([
      ...[true, true],
      ...[false, false, false],
    ]);
  });
});

it('reads the rules of decoding, with the defaults of Marian or of Firefox', () => {
  const rules = readMarianRules(parseYaml('beam-size: 6\nnormalize: 0.7\nallow-unk: true\n', 'd'), 'd');
  expect(rules).toMatchObject({
    beams: 6,
    lengthPenalty: { power: 0.7 },
    maxLengthFactor: 3,
    suppressTokens: [],
  });
  expect(readMarianRules(undefined, 'd')).toMatchObject({
    beams: 1,
    maxLengthFactor: 2,
    suppressTokens: [1],
  });
  expect(() => readMarianRules(parseYaml('normalize: x\n', 'd'), 'd.yml')).toThrow(
    errorAbout({ area: 'd.yml', values: ['normalize', '"x"'] }),
  );
});
