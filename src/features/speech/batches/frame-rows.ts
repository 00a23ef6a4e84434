// Sources that are frames: vectors instead of token ids, such as the features of a clip. Rows of an encoded corpus
// have them in place of ids.

/** The frames of a source. */
export interface FrameRow {
  /** The first frames [n, width]. */
  readonly data: Float32Array;
  /** Number of frames, at least n. */
  readonly length: number;
  /** Value of all numbers of the frames from n on, such as those of silence. */
  readonly fill: number;
}

/** The frames of the sources of a corpus. */
export interface FrameRows {
  /** Numbers in a frame. */
  readonly width: number;
  /** Frames that the stem of the model joins to one position of the encoder. */
  readonly perPosition: number;
  readonly rows: readonly FrameRow[];
}

/** Number of positions of the encoder for a number of frames. */
export const positionsOf = ({ perPosition }: Pick<FrameRows, 'perPosition'>, frames: number): number =>
  Math.ceil(frames / perPosition);

/** All numbers of a row [length, width]. */
export function wholeRow({ data, length, fill }: FrameRow, width: number): Float32Array {
  if (data.length === length * width) return data;
  const whole = new Float32Array(length * width).fill(fill, data.length);
  whole.set(data);
  return whole;
}

/** Writes the frames of corpus rows and their numbers of positions into the arrays of a batch; zeros after them. */
export function fillFrames(
  { frames, srcLens }: { readonly frames?: Float32Array; readonly srcLens: Uint32Array },
  shape: { readonly source: number },
  from: FrameRows,
  rows: Uint32Array,
): void {
  if (!frames) throw new Error('batch: the program has no input for frames');
  const size = shape.source * from.width;
  frames.fill(0);
  for (let b = 0; b < rows.length; b++) {
    const { data, length, fill } = from.rows[rows[b] as number] as FrameRow;
    frames.set(data, b * size);
    frames.fill(fill, b * size + data.length, b * size + length * from.width);
    srcLens[b] = positionsOf(from, length);
  }
}
