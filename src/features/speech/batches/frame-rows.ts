// Sources that are frames: vectors instead of token ids, such as the features of a clip. Rows of an encoded corpus
// have them in place of ids.

import type { TensorData } from '../../../core/tensor.ts';
import type { EncodedCorpus, SourceRows, VectorRow } from '../../../text/batches/encoded-corpus.ts';

/** All numbers of a row [length, width]. */
export function wholeRow({ data, length, fill }: VectorRow, width: number): Float32Array {
  if (data.length === length * width) return data;
  const whole = new Float32Array(length * width).fill(fill, data.length);
  whole.set(data);
  return whole;
}

/** The frames of the sources of a corpus. */
export class FrameRows implements SourceRows {
  /** Numbers in a frame. */
  readonly width: number;
  /** Frames that the stem of the model joins to one position of the encoder. */
  readonly perPosition: number;
  readonly rows: readonly VectorRow[];

  constructor(width: number, perPosition: number, rows: readonly VectorRow[]) {
    this.width = width;
    this.perPosition = perPosition;
    this.rows = rows;
  }

  positionsOf(length: number): number {
    return Math.ceil(length / this.perPosition);
  }

  /** Writes frames [B, S, width], zeros after each row, and numbers of positions [B]. */
  fill(
    { frames, srcLens }: Readonly<Record<string, TensorData | undefined>>,
    shape: { readonly source: number },
    rows: Uint32Array,
  ): void {
    if (!(frames instanceof Float32Array && srcLens))
      throw new Error('batch: the program has no input for frames');
    const size = shape.source * this.width;
    frames.fill(0);
    for (let b = 0; b < rows.length; b++) {
      const { data, length, fill } = this.rows[rows[b] as number] as VectorRow;
      frames.set(data, b * size);
      frames.fill(fill, b * size + data.length, b * size + length * this.width);
      srcLens[b] = this.positionsOf(length);
    }
  }
}

/** The frames of a corpus; undefined if its sources are token ids. */
export const framesOf = ({ sourceRows }: Pick<EncodedCorpus, 'sourceRows'>): FrameRows | undefined =>
  sourceRows instanceof FrameRows ? sourceRows : undefined;
