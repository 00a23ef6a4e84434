// The vectors of a scene as strips of colours: blue above zero, rust below, stronger if larger.

import type { Colours } from './picture-colours.ts';
import type { Column, PictureLayout } from './picture-layout.ts';
import type { Scene } from './scene.ts';

/** A bitmap with a row for each vector, from which strips are drawn. */
export class VectorStrips {
  readonly #bitmap = document.createElement('canvas');
  /** Row of the bitmap for each vector. */
  #rows = new Map<string, number>();

  /** Paints all vectors of a scene into the bitmap. */
  paint({ encoder, decoder }: Scene, colours: Colours): void {
    const vectors: (readonly number[])[] = [];
    this.#rows = new Map();
    const add = (
      stack: Column['stack'],
      kind: Column['kind'],
      layer: number,
      added: readonly (readonly number[])[],
    ) => {
      for (const [row, vector] of added.entries()) {
        this.#rows.set(keyOf({ stack, kind, layer }, row), vectors.length);
        vectors.push(vector);
      }
    };
    for (const [stack, { embedding, layers }] of Object.entries({ encoder, decoder } as const)) {
      add(stack as Column['stack'], 'embedding', 0, embedding);
      for (const [layer, { out }] of layers.entries()) add(stack as Column['stack'], 'out', layer, out);
    }
    add('encoder', 'memory', 0, encoder.memory);
    this.#fill(vectors, colours);
  }

  /** Draws a vector in its column and row, up to a part of its width. */
  draw(c: CanvasRenderingContext2D, layout: PictureLayout, column: Column, row: number, part: number): void {
    const at = this.#rows.get(keyOf(column, row));
    if (at === undefined) return;
    const height = 0.64 * layout.rowHeight;
    const cells = Math.max(1, Math.round(this.#bitmap.width * part));
    const y = layout.y(column.stack, row) - height / 2;
    c.imageSmoothingEnabled = false;
    c.drawImage(this.#bitmap, 0, at, cells, 1, column.x, y, Math.max(1, column.width * part), height);
  }

  #fill(vectors: readonly (readonly number[])[], { plus, minus, fill }: Colours): void {
    this.#bitmap.width = Math.max(1, ...vectors.map((vector) => vector.length));
    this.#bitmap.height = Math.max(1, vectors.length);
    const c = this.#bitmap.getContext('2d') as CanvasRenderingContext2D;
    for (const [y, vector] of vectors.entries()) {
      const most = Math.max(1e-9, ...vector.map(Math.abs));
      for (const [x, value] of vector.entries()) {
        c.globalAlpha = 1;
        c.fillStyle = fill;
        c.fillRect(x, y, 1, 1);
        c.globalAlpha = Math.min(1, Math.abs(value) / most);
        c.fillStyle = value >= 0 ? plus : minus;
        c.fillRect(x, y, 1, 1);
      }
    }
    c.globalAlpha = 1;
  }
}

/** Key of a vector: its column and row. */
const keyOf = ({ stack, kind, layer }: Pick<Column, 'stack' | 'kind' | 'layer'>, row: number): string =>
  `${stack} ${kind} ${layer} ${row}`;
