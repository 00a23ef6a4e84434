// model.yml for a model that was not loaded from Marian's files.

import { type ModelConfig, stepsAround } from '../../../model/model-config.ts';

/** The version of Marian whose options model.yml has; since 1.10.28 pre-norm attention normalizes all inputs. */
const versions = { current: 'v1.12.14', queriesOnly: 'v1.9.56' } as const;

const activations: Readonly<Record<string, string>> = { relu: 'relu', silu: 'swish', 'quick-gelu': 'gelu' };

/** model.yml of a configuration. */
export function modelYaml(c: ModelConfig): string {
  const { before, after } = stepsAround(c);
  // The letters of Marian are the first ones of the steps.
  const text = (steps: readonly string[]) => steps.map(([letter]) => letter).join('') || '""';
  const decoderSize = (own: number, shared: number) => (own === shared ? 0 : own);
  const isSsru = c.decoderSelfAttention === 'ssru';
  const options: Readonly<Record<string, string | number | boolean>> = {
    'bert-train-type-embeddings': true,
    'bert-type-vocab-size': 2,
    'dec-cell': 'ssru',
    'dec-cell-base-depth': 2,
    'dec-cell-high-depth': 1,
    'dec-depth': c.decoderLayers,
    'dim-emb': c.dModel,
    'dim-rnn': 1024,
    'dim-vocabs': `\n  - ${c.srcVocab}\n  - ${c.tgtVocab}`,
    'enc-cell': 'gru',
    'enc-cell-depth': 1,
    'enc-depth': c.encoderLayers,
    'enc-type': 'bidirectional',
    'factors-combine': 'sum',
    'factors-dim-emb': 0,
    'input-types': '\n  []',
    'layer-normalization': false,
    'lemma-dependency': '""',
    'lemma-dim-emb': 0,
    'output-omit-bias': !c.outputBias,
    'right-left': false,
    skip: false,
    'special-vocab': '\n  []',
    'tied-embeddings': c.tie === 'target',
    'tied-embeddings-all': c.tie === 'all',
    'tied-embeddings-src': c.tie === 'embeddings',
    'transformer-aan-activation': 'swish',
    'transformer-aan-depth': 2,
    'transformer-aan-nogate': false,
    'transformer-decoder-autoreg': isSsru ? 'rnn' : 'self-attention',
    'transformer-decoder-dim-ffn': decoderSize(c.decoderFeedForward, c.feedForward),
    'transformer-decoder-ffn-depth': decoderSize(c.decoderFeedForwardDepth, c.feedForwardDepth),
    'transformer-dim-aan': 2048,
    'transformer-dim-ffn': c.feedForward,
    'transformer-ffn-activation': activations[c.activation] ?? c.activation,
    'transformer-ffn-depth': c.feedForwardDepth,
    'transformer-guided-alignment-layer': 'last',
    'transformer-heads': c.heads,
    'transformer-no-affine': false,
    'transformer-no-bias': false,
    'transformer-no-projection': false,
    'transformer-pool': false,
    'transformer-postprocess': text(after),
    'transformer-postprocess-emb': c.embeddingNorm ? 'nd' : 'd',
    'transformer-postprocess-top': c.finalNorm ? 'n' : '""',
    'transformer-preprocess': text(before),
    'transformer-rnn-projection': false,
    'transformer-tied-layers': `\n  ${c.decoderTiedLayers.length > 0 ? c.decoderTiedLayers.map((n) => `- ${n}`).join('\n  ') : '[]'}`,
    'transformer-train-position-embeddings': false,
    type: 'transformer',
    ulr: false,
    'ulr-dim-emb': 0,
    'ulr-trainable-transformation': false,
    version: c.normQueriesOnly ? versions.queriesOnly : versions.current,
  };
  return `${Object.entries(options)
    .map(([name, value]) => (String(value).startsWith('\n') ? `${name}:${value}` : `${name}: ${value}`))
    .join('\n')}\n`;
}
