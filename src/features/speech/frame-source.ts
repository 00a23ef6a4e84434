// Frames as a source: the stem makes of frames [B, T, C] what the encoder reads, [B, S, D]. T frames, C numbers of a frame, S positions
// of the encoder, D model width.

import { rejectField } from '../../core/fields.ts';
import { type Message, msg } from '../../core/message.ts';
import { dim, type Shape } from '../../core/tensor.ts';
import { fairseqSinusoids } from '../../engine/ops/embedding/sinusoids.ts';
import type { Value } from '../../engine/ops/op.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { fixedPositionRows } from '../../model/positions.ts';
import { multiply, type Scope } from '../../model/scope.ts';
import type { SourceKind } from '../../model/source-kind.ts';
import { addPositions } from './ops/add-positions.ts';
import { arrangeTaps } from './ops/arrange-taps.ts';
import { convolution } from './ops/convolution.ts';
import { moveFrames } from './ops/move-frames.ts';

/** Frames of a window of the convolutions. */
const taps = 3;

/** GELU of a convolution with a zero frame at both ends: [B, T, C] -> [B, ceil(T / stride), D]. */
function convolve(stem: Scope, name: string, x: Value, apart: number): Value {
  const { graph } = stem;
  const [T, width] = [dim(x, 1), dim(x, 2)];
  const w = arrangeTaps(graph, stem.weight(`${name}.weight`), { order: 'tap', taps, stride: apart });
  // Whole strides, so that the windows of all rows of the batch are equally far apart.
  const padded = moveFrames(graph, x, { first: 1, length: Math.ceil((T + 2) / apart) * apart, width });
  const attrs = { stride: apart, length: Math.ceil(T / apart), activation: 'gelu' } as const;
  return convolution(graph, padded, w, stem.weight(`${name}.bias`), attrs);
}

/** The stem of a configuration: [B, T, C] -> [B, S, D]. */
function applyStem(stem: Scope, frames: Value): Value {
  switch (stem.config.stem) {
    case 'none':
      // A copy: nodes must not write to the input of a run.
      return moveFrames(stem.graph, frames, { first: 0, length: dim(frames, 1), width: dim(frames, 2) });
    case 'linear':
      return multiply(stem.model, frames, stem.name('linear.weight'), stem.weight('linear.bias'));
    case 'conv':
      return convolve(stem, 'conv2', convolve(stem, 'conv1', frames, 1), 2);
  }
}

/** Adds the positions of a configuration: [B, S, D] -> [B, S, D]. */
function withPositions(model: Scope, x: Value): Value {
  const { graph, config: c } = model;
  if (c.positions === 'none') return x;
  const learned = c.positions === 'learned';
  const table = learned
    ? model.weight('src_pos.weight')
    : graph.state(`positions${model.model.stateSuffix}`, 'f32', [fixedPositionRows(c), c.dModel]);
  return addPositions(graph, x, table, learned);
}

/** Throws a HeddleError that names a field which does not fit a source of frames. */
function checkFrames(c: ModelConfig): void {
  const fail = (field: keyof ModelConfig, wanted: Message) =>
    rejectField({ area: 'config', noun: 'field' }, field, c[field], wanted);
  if (c.frameWidth < 1) fail('frameWidth', msg`at least 1 if source is frames`);
  if (c.stem === 'none' && c.frameWidth !== c.dModel)
    fail('frameWidth', msg`dModel ${c.dModel} if stem is none`);
  if (c.tie === 'all' || c.tie === 'embeddings') fail('tie', msg`none or target if source is frames`);
  if (c.positions === 'fairseq-sinusoidal' || c.positions === 'relative')
    fail('positions', msg`sinusoidal, sinusoidal-halves, learned or none if source is frames`);
  if (c.positionOffset !== 0) fail('positionOffset', msg`0 if source is frames`);
  if (c.embeddingNorm) fail('embeddingNorm', msg`false if source is frames`);
}

/** Sources of frames: vectors of `frameWidth` numbers, such as features of speech or patches of an image. */
export const frames: SourceKind = {
  name: 'frames',
  openedBy: 'loadSpeechModel or loadLineModel of heddle/speech',
  hasShortPrograms: false,
  check: checkFrames,
  parameters(c, drafts) {
    const add = (name: string, shape: Shape) => {
      drafts.matrix(`stem.${name}`, shape);
      drafts.zeroBias(`stem.${name}`, c.dModel);
    };
    if (c.stem === 'linear') add('linear', [c.dModel, c.frameWidth]);
    if (c.stem !== 'conv') return;
    // PyTorch's shape of a convolution: [out, in, width].
    add('conv1', [c.dModel, c.frameWidth, taps]);
    add('conv2', [c.dModel, c.dModel, taps]);
  },
  // Whisper's sinusoids, without padding.
  fixedPositions: (c) => (c.stem === 'conv' ? () => fairseqSinusoids(c.maxSource, c.dModel, -1) : undefined),
  maxLength: (c) => stride(c) * c.maxSource,
  lengthOf: (c, source) => source.length / c.frameWidth,
  positions: (c, length) => Math.ceil(length / stride(c)),
  input: (graph, c, B, S) => ({
    lengths: graph.input('srcLens', 'u32', [B]),
    input: graph.input('frames', 'f32', [B, S, c.frameWidth]),
  }),
  embed: (model, { input }) =>
    model.graph.scope('embed', () => {
      const x = withPositions(model, applyStem(model.part('stem'), input));
      return model.dropout(x, model.config.dropout.embedding);
    }),
  fill(c, { frames: data, srcLens }, sources) {
    if (!data || !srcLens) throw new Error('source: the program has no input for frames');
    const size = data.length / srcLens.length;
    data.fill(0);
    srcLens.fill(0);
    for (const [b, row] of sources.entries()) {
      data.set(row, b * size);
      srcLens[b] = Math.ceil(row.length / c.frameWidth / stride(c));
    }
  },
};

/** Frames of a position of the encoder. */
const stride = ({ stem }: Pick<ModelConfig, 'stem'>): number => (stem === 'conv' ? 2 : 1);
