// The kinds of sublayers with which a decoder layer reads the tokens before. Each is a row of a table: its parameters, its
// graph over a sequence, and its step and state in decoding.

import type { Shape } from '../core/tensor.ts';
import { cachedSelfAttention } from '../engine/ops/decoding/cached-attention.ts';
import type { Value } from '../engine/ops/op.ts';
import { ssru } from '../engine/ops/recurrence/ssru.ts';
import { ssruStep } from '../engine/ops/recurrence/ssru-step.ts';
import type { ModelConfig } from './model-config.ts';
import { attentionOptions, selfAttentionBlock, selfAttentionHeads } from './multi-head-attention.ts';
import type { Init } from './parameter-layout.ts';
import type { Scope, Sublayer } from './scope.ts';

/** Adds parameters of a layer to the list of a model. Names of modules are those of PyTorch's nn.Transformer. */
export interface LayerDrafts {
  /** The products of an attention of `inner` columns; `isSeparate`: that of queries is apart. */
  attention(module: string, inner: number, isSeparate: boolean): void;
  /** A matrix, named by its module and `suffix`; `parts`: matrices of equal size one below another. */
  matrix(module: string, shape: Shape, fields: { readonly parts: number }, suffix: string): void;
  vector(name: string, size: number, init: Init): void;
}

/** The rows of a step of decoding, R. */
export interface StepRows {
  /** Row of the cache for each position of each row, u32 [R, T]. */
  readonly slots: Value;
  /** The row that each row continues, i32 [R]. */
  readonly parents: Value;
  /** Rows of a sentence. */
  readonly beams: number;
  /** That of `positionBias`. */
  readonly bias?: Value;
}

/** A kind of sublayer with which a decoder layer reads the tokens before. */
export interface DecoderSelfAttention {
  /** Whether it has attention heads. */
  readonly hasHeads: boolean;
  /** Whether targets start without a token, so that a vocabulary needs none, as in Marian. */
  readonly startsWithoutToken: boolean;
  /** Adds its parameters in a layer. */
  parameters(c: ModelConfig, drafts: LayerDrafts): void;
  /** In a layer, over sequences of `lengths`, u32 [B]: [B, T, D] -> [B, T, D]. `bias`: that of `positionBias`. */
  overSequence(layer: Scope, lengths: Value, bias?: Value): Sublayer;
  /** What a layer remembers between steps of decoding, f32; a kind without it has a KV cache. */
  readonly state?: { readonly name: string; shape(c: ModelConfig, rows: number): Shape };
  /** In a layer, a step of decoding: [R, 1, D] -> [R, 1, D]. `state`: its KV cache, or what it remembers. */
  step(layer: Scope, state: Value, rows: StepRows): Sublayer;
}

/** Self-attention to the tokens before (section 3.2.3 of the paper). */
const attention: DecoderSelfAttention = {
  hasHeads: true,
  startsWithoutToken: false,
  parameters: ({ decoderHeads, decoderHeadWidth, normQueriesOnly }, drafts) =>
    drafts.attention('self_attn', decoderHeads * decoderHeadWidth, normQueriesOnly),
  overSequence: (layer, lengths, bias) =>
    selfAttentionBlock(layer, (qkv) => selfAttentionHeads(layer.model, 'decoder', qkv, lengths, bias)),
  step: (layer, cache, { slots, beams, bias }) =>
    selfAttentionBlock(layer, (qkv) => {
      const options = { ...attentionOptions(layer.model, 'decoder'), beams };
      return cachedSelfAttention(layer.graph, qkv, cache, slots, layer.model.step, options, bias);
    }),
};

/** z and the gate of an SSRU, x W and x Wf, in one product; then `scan` with the bias of the gate. */
const ssruBlock =
  (layer: Scope, scan: (products: Value, bias: Value) => Value): Sublayer =>
  (x) =>
    layer.sublayer('ssru', (unit) => scan(unit.linear('in_proj', x), unit.weight('gate_bias')));

/** The simpler simple recurrent unit (Kim et al., 2019, https://aclanthology.org/D19-5632). */
const recurrence: DecoderSelfAttention = {
  hasHeads: false,
  startsWithoutToken: true,
  parameters({ dModel }, drafts) {
    drafts.matrix('ssru.in_proj', [2 * dModel, dModel], { parts: 2 }, '_weight'); // z, then the gate
    drafts.vector('ssru.gate_bias', dModel, { kind: 'constant', value: 0 });
  },
  overSequence: (layer) => ssruBlock(layer, (products, bias) => ssru(layer.graph, products, bias)),
  state: { name: 'ssru', shape: ({ dModel }, rows) => [rows, 2, dModel] },
  step: (layer, state, { parents, beams }) =>
    ssruBlock(layer, (products, bias) =>
      ssruStep(layer.graph, products, bias, parents, state, layer.model.step, { beams }),
    ),
};

/** The kinds, by the name in the field `decoderSelfAttention`. */
const decoderSelfAttentions: Readonly<Record<ModelConfig['decoderSelfAttention'], DecoderSelfAttention>> = {
  attention,
  ssru: recurrence,
};

/** The kind of a configuration. Default: attention. */
export const decoderSelfAttention = ({
  decoderSelfAttention: name = 'attention',
}: Partial<Pick<ModelConfig, 'decoderSelfAttention'>>): DecoderSelfAttention => decoderSelfAttentions[name];
