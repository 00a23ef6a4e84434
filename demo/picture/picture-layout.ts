// Where the parts of the moving picture are: encoder above, decoder below, a row for each token, a column for each part.

import type { Scene } from './scene.ts';
import type { PartKind } from './timeline.ts';

/** A column of the picture. */
export interface Column {
  readonly stack: 'encoder' | 'decoder';
  readonly kind: Exclude<PartKind, 'back'>;
  readonly layer: number;
  readonly x: number;
  readonly width: number;
}

/** Places of the picture in CSS pixels. */
export interface PictureLayout {
  readonly width: number;
  readonly height: number;
  readonly isNarrow: boolean;
  readonly rowHeight: number;
  readonly columns: readonly Column[];
  /** Top of the headings of a stack, and of its rows. */
  readonly tops: Readonly<Record<Column['stack'], { readonly heading: number; readonly rows: number }>>;
  /** The middle of a row. */
  y(stack: Column['stack'], row: number): number;
  column(stack: Column['stack'], kind: Column['kind'], layer?: number): Column | undefined;
  /** The way of thread `i` of the memory to a cross-attention: corners, and where it crosses the rows. */
  thread(
    i: number,
    cross: Column,
  ): { readonly corners: readonly (readonly [x: number, y: number])[]; readonly x: number };
}

/** Weights of the widths of columns, and their least widths on wide and narrow screens. */
const widths: Readonly<
  Record<Column['kind'], { readonly grow: number; readonly wide: number; readonly narrow: number }>
> = {
  tokens: { grow: 0, wide: 112, narrow: 62 },
  embedding: { grow: 0.3, wide: 40, narrow: 14 },
  self: { grow: 1, wide: 60, narrow: 20 },
  cross: { grow: 1.4, wide: 84, narrow: 34 },
  out: { grow: 0.3, wide: 40, narrow: 14 },
  memory: { grow: 0.5, wide: 56, narrow: 18 },
  next: { grow: 0.6, wide: 150, narrow: 78 },
};

/** Height of a picture of a short sentence, and of the place below the rows, in CSS pixels. */
const [usualHeight, below] = [430, 26];

/** The layout of a scene in a width. */
export function layoutOf(scene: Scene, width: number): PictureLayout {
  const isNarrow = width < 640;
  const [S, T] = [scene.source.length, scene.target.length];
  const headingHeight = isNarrow ? 8 : 26;
  const gap = Math.min(isNarrow ? 2 : 3.2, 36 / S);
  const between = S * gap + 14;
  // A picture of another sentence has the same height, so that nothing below it moves, unless the sentence is long.
  const room = usualHeight - 2 * headingHeight - between - below;
  const rowHeight = Math.max(isNarrow ? 14 : 15, Math.min(24, room / (S + T)));
  const gutter = isNarrow ? 3 : 8;
  const kinds = (stack: Column['stack']): Pick<Column, 'kind' | 'layer'>[] => {
    const parts = scene[stack].layers.flatMap(({ self, cross }, layer) => [
      ...(self ? [{ kind: 'self' as const, layer }] : []),
      ...(cross ? [{ kind: 'cross' as const, layer }] : []),
      { kind: 'out' as const, layer },
    ]);
    const end = { kind: stack === 'encoder' ? ('memory' as const) : ('next' as const), layer: 0 };
    return [{ kind: 'tokens', layer: 0 }, { kind: 'embedding', layer: 0 }, ...parts, end];
  };
  const place = (stack: Column['stack'], room: number): Column[] => {
    const all = kinds(stack);
    const least = (kind: Column['kind']) => widths[kind][isNarrow ? 'narrow' : 'wide'];
    const taken = all.reduce((sum, { kind }) => sum + least(kind) + gutter, 0);
    const grow = all.reduce((sum, { kind }) => sum + widths[kind].grow, 0);
    const extra = Math.max(0, room - taken) / grow;
    let x = 0;
    return all.map(({ kind, layer }) => {
      const column = { stack, kind, layer, x, width: least(kind) + extra * widths[kind].grow };
      x += column.width + gutter;
      return column;
    });
  };
  // The threads of the memory turn beside it.
  const columns = [...place('encoder', (isNarrow ? 0.84 : 0.7) * width), ...place('decoder', width)];
  const encoderRows = headingHeight;
  const decoderHeading = encoderRows + S * rowHeight + between;
  const tops = {
    encoder: { heading: 0, rows: encoderRows },
    decoder: { heading: decoderHeading, rows: decoderHeading + headingHeight },
  };
  const y = (stack: Column['stack'], row: number) => tops[stack].rows + (row + 0.5) * rowHeight;
  const column = (stack: Column['stack'], kind: Column['kind'], layer = 0) =>
    columns.find((one) => one.stack === stack && one.kind === kind && one.layer === layer);
  return {
    width,
    height: Math.max(usualHeight, tops.decoder.rows + T * rowHeight + below),
    isNarrow,
    rowHeight,
    columns,
    tops,
    y,
    column,
    thread(i, cross) {
      const memory = column('encoder', 'memory') as Column;
      const x = cross.x + ((i + 0.5) * cross.width) / S;
      const turn = memory.x + memory.width + 8 + i * gap;
      const across = encoderRows + S * rowHeight + 6 + (S - 1 - i) * gap;
      return {
        corners: [
          [memory.x + memory.width, y('encoder', i)],
          [turn, y('encoder', i)],
          [turn, across],
          [x, across],
          [x, tops.decoder.rows + T * rowHeight],
        ],
        x,
      };
    },
  };
}
