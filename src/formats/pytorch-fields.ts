// The names that PyTorch's programs give to the fields of a configuration: golden cases of nn.Transformer have them, and
// the model format of PyTorch.

import type { FieldNames } from './layout-config.ts';

/** Fields of config.json. */
export const pytorchFields: FieldNames = {
  d_model: 'dModel',
  n_heads: 'heads',
  n_decoder_heads: 'decoderHeads',
  n_encoder_layers: 'encoderLayers',
  n_decoder_layers: 'decoderLayers',
  d_ff: 'feedForward',
  d_decoder_ff: 'decoderFeedForward',
  src_vocab: 'srcVocab',
  tgt_vocab: 'tgtVocab',
  max_len: 'maxLength',
  norm: 'norm',
  activation: 'activation',
  positions: 'positions',
  position_offset: 'positionOffset',
  embedding_norm: 'embeddingNorm',
  tie: 'tie',
  scale_embedding: 'scaleEmbedding',
  layer_norm_eps: 'layerNormEps',
  final_norm: 'finalNorm',
  output_bias: 'outputBias',
  label_smoothing: 'labelSmoothing',
  pad_id: 'padId',
  bos_id: 'startId',
  eos_id: 'endId',
  hide_padding: 'hidePadding',
  train_padding: 'trainPadding',
  train_output_bias: 'trainOutputBias',
  dropout: 'dropout',
};
