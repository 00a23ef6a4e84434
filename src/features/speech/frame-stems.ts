// Stems: from frames [B, T, C] to what the encoder reads, [B, S, D]. T frames, C numbers of a frame, S positions
// of the encoder, D model width.

import { rejectField } from '../../core/fields.ts';
import { dim, type Shape, type TensorData } from '../../core/tensor.ts';
import { fairseqSinusoids } from '../../engine/ops/embedding/other-sinusoids.ts';
import { addPositions } from '../../engine/ops/frames/add-positions.ts';
import { arrangeTaps } from '../../engine/ops/frames/arrange-taps.ts';
import { convolution } from '../../engine/ops/frames/convolution.ts';
import { framesGradients } from '../../engine/ops/frames/frames-gradients.ts';
import { moveFrames } from '../../engine/ops/frames/move-frames.ts';
import { zeroRange } from '../../engine/ops/frames/zero-range.ts';
import { addGradients } from '../../engine/ops/later-gradients.ts';
import type { Builder, Value } from '../../engine/ops/op.ts';
import { type ModelConfig, sourcePositions } from '../../model/model-config.ts';
import { multiply, type Scope } from '../../model/open-transformer.ts';
import type { Parameter } from '../../model/parameter-layout.ts';

addGradients(framesGradients);

/** Frames of a window of the convolutions. */
const taps = 3;

/** GELU of a convolution with a zero frame at both ends: [B, T, C] -> [B, ceil(T / stride), D]. */
function convolve(stem: Scope, name: string, x: Value, stride: number): Value {
  const { graph } = stem;
  const [T, width] = [dim(x, 1), dim(x, 2)];
  const w = arrangeTaps(graph, stem.weight(`${name}.weight`), { order: 'tap', taps, stride });
  // Whole strides, so that the windows of all rows of the batch are equally far apart.
  const padded = moveFrames(graph, x, { first: 1, length: Math.ceil((T + 2) / stride) * stride, width });
  const attrs = { stride, length: Math.ceil(T / stride), activation: 'gelu' } as const;
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
  const suffix = model.model.parameters.stateSuffix ?? '';
  const table = learned
    ? model.weight('src_pos.weight')
    : graph.state(`positions${suffix}`, 'f32', [fixedRows(c), c.dModel]);
  return addPositions(graph, x, table, learned);
}

/** Rows of the table of fixed positions for frames. */
const fixedRows = ({ maxLength, maxSource }: ModelConfig): number => Math.max(maxLength, maxSource);

/** Throws a HeddleError that names a field which does not fit a source of frames. */
function checkFrames(c: ModelConfig): void {
  const fail = (field: keyof ModelConfig, wanted: string) =>
    rejectField({ area: 'config', noun: 'field' }, field, c[field], wanted);
  if (c.frameWidth < 1) fail('frameWidth', 'at least 1 if source is frames');
  if (c.stem === 'none' && c.frameWidth !== c.dModel)
    fail('frameWidth', `dModel ${c.dModel} if stem is none`);
  if (c.tie === 'all' || c.tie === 'embeddings') fail('tie', 'none or target if source is frames');
  if (c.positions === 'fairseq-sinusoidal' || c.positions === 'relative')
    fail('positions', 'sinusoidal, sinusoidal-halves, learned or none if source is frames');
  if (c.positionOffset !== 0) fail('positionOffset', '0 if source is frames');
  if (c.embeddingNorm) fail('embeddingNorm', 'false if source is frames');
}

/** The parts of a transformer for frames. */
export const frameParts = {
  checkFrames,
  /** The positions of the encoder behind a `conv` stem [maxSource, D], which are not trained: Whisper's sinusoids. */
  positionTable: (c: ModelConfig): Float32Array => fairseqSinusoids(c.maxSource, c.dModel, -1), // no padding
  /** Adds the parameters of a stem; `matrix` and `bias` add one. */
  stemParameters(
    c: ModelConfig,
    matrix: (module: string, shape: Shape) => void,
    bias: (module: string) => void,
  ): void {
    const add = (name: string, shape: Shape) => {
      matrix(`stem.${name}`, shape);
      bias(`stem.${name}`);
    };
    if (c.stem === 'linear') add('linear', [c.dModel, c.frameWidth]);
    if (c.stem !== 'conv') return;
    // PyTorch's shape of a convolution: [out, in, width].
    add('conv1', [c.dModel, c.frameWidth, taps]);
    add('conv2', [c.dModel, c.dModel, taps]);
  },
  /** Fills the inputs `frames` and `srcLens` of a program with the frames of each row, zeros after them. */
  fillFrames(
    c: ModelConfig,
    { frames, srcLens }: Readonly<Record<string, TensorData>>,
    rows: readonly ArrayLike<number>[],
  ): void {
    const size = (frames?.length ?? 0) / (srcLens?.length ?? 1);
    frames?.fill(0);
    srcLens?.fill(0);
    for (const [b, row] of rows.entries()) {
      frames?.set(row, b * size);
      if (srcLens) srcLens[b] = sourcePositions(c, row.length / c.frameWidth);
    }
  },
  /** The stem and the positions: frames [B, T, C] -> [B, S, D], with S of `sourcePositions`. */
  embedFrames: (model: Scope, frames: Value): Value =>
    model.graph.scope('embed', () => {
      const x = withPositions(model, applyStem(model.stem(), frames));
      return model.dropout(x, model.config.dropout.embedding);
    }),
  /** The gradient of a parameter with zeros in the range that stays zero (`Parameter.zeros`). */
  withoutZeros: (builder: Builder, gradient: Value, zeros: NonNullable<Parameter['zeros']>): Value =>
    zeroRange(builder, gradient, zeros),
};
