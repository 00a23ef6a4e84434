// SpecAugment (Park et al., 2019): in each epoch spans of frames, and bands of the numbers of a frame, are set to 0.
// The spans of a row depend only on seed, epoch and row, so that a run resumes to the bit. The options are those of
// Whisper in transformers.

import { keyOf, type Random, random } from '../../../core/random.ts';
import type { EncodedCorpus, VectorRow } from '../../../text/batches/encoded-corpus.ts';
import { FrameRows, framesOf } from './frame-rows.ts';

/** Options of the masks. */
export interface MaskOptions {
  /** Fraction of the frames of a row that spans cover, where they do not overlap; 0: none. */
  readonly maskTimeProb: number;
  /** Frames of a span. */
  readonly maskTimeLength: number;
  /** Fraction of the numbers of a frame that bands cover; 0: none. */
  readonly maskFeatureProb: number;
  /** Numbers of a band. */
  readonly maskFeatureLength: number;
}

/** Returns rows of a corpus with the masks of an epoch. */
export type FrameMasks = (corpus: EncodedCorpus, rows: Uint32Array, epoch: number) => EncodedCorpus;

/** Starts of spans of `length` in `size` places, different ones; together they have about `share` of the places. */
function starts(r: Random, size: number, share: number, length: number): number[] {
  if (share <= 0) return [];
  const wanted = Math.floor((share * size) / length + r.uniform());
  const places = Math.max(1, size - length + 1);
  const found = new Set<number>();
  while (found.size < Math.min(wanted, places)) found.add(r.int(places));
  return [...found];
}

/** A row with masks; frames after those of the clip itself are not masked. */
function maskRow({ data, ...row }: VectorRow, width: number, options: MaskOptions, r: Random): VectorRow {
  const { maskTimeProb, maskTimeLength, maskFeatureProb, maskFeatureLength } = options;
  const count = data.length / width;
  const masked = data.slice();
  for (const start of starts(r, count, maskTimeProb, maskTimeLength))
    masked.fill(0, start * width, Math.min(count, start + maskTimeLength) * width);
  for (const start of starts(r, width, maskFeatureProb, maskFeatureLength))
    for (let t = 0; t < count; t++)
      masked.fill(0, t * width + start, t * width + Math.min(width, start + maskFeatureLength));
  return { ...row, data: masked };
}

/** The masks of a corpus of frames; undefined if the options mask nothing. */
export function createFrameMasks(
  { perPosition, width }: Pick<FrameRows, 'perPosition' | 'width'>,
  options: MaskOptions,
  seed: number,
): FrameMasks | undefined {
  if (options.maskTimeProb <= 0 && options.maskFeatureProb <= 0) return undefined;
  const key = keyOf('masks');
  return (corpus, rows, epoch) => {
    const { source, target } = corpus;
    const frames = framesOf(corpus);
    const masked = Array.from(rows, (row) =>
      maskRow(frames?.rows[row] as VectorRow, width, options, random(seed, key, epoch, row)),
    );
    const lengths = Array.from(
      rows,
      (row) => (target.starts[row + 1] as number) - (target.starts[row] as number),
    );
    return {
      ...corpus,
      count: rows.length,
      pairIndex: Uint32Array.from(rows, (row) => corpus.pairIndex[row] as number),
      source: { ids: source.ids, starts: startsOf(masked.map(({ length }) => length)) },
      target: {
        ids: Uint32Array.from(
          Array.from(rows).flatMap((row) =>
            Array.from(target.ids.subarray(target.starts[row], target.starts[row + 1])),
          ),
        ),
        starts: startsOf(lengths),
      },
      sourceRows: new FrameRows(width, perPosition, masked),
    };
  };
}

/** Starts of rows with some lengths, and the end of the last one. */
export function startsOf(lengths: readonly number[]): Uint32Array {
  const places = new Uint32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) places[i + 1] = (places[i] as number) + length;
  return places;
}
