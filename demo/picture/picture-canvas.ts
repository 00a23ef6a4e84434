// Draws the moving picture. What is finished is kept in a bitmap; a frame draws it and the present stage.

import { type Colours, coloursOf } from './picture-colours.ts';
import type { Column, PictureLayout } from './picture-layout.ts';
import type { Scene } from './scene.ts';
import type { Stage } from './timeline.ts';
import { VectorStrips } from './vector-strips.ts';

/** Weights below this are not drawn. */
const faint = 0.04;

const ease = (p: number): number => p * p * (3 - 2 * p);

/** A canvas with the picture. */
export class PictureCanvas {
  readonly element = document.createElement('canvas');
  readonly #done = document.createElement('canvas');
  readonly #strips = new VectorStrips();
  #scene: Scene;
  #layout: PictureLayout;
  #stages: readonly Stage[];
  #colours: Colours | undefined;
  #ratio = 1;
  /** Number of stages in the bitmap; -1: it must be drawn. */
  #finished = -1;

  constructor(scene: Scene, layout: PictureLayout, stages: readonly Stage[]) {
    this.#scene = scene;
    this.#layout = layout;
    this.#stages = stages;
    this.element.setAttribute('aria-hidden', 'true');
  }

  /** Shows another scene or size. */
  set(scene: Scene, layout: PictureLayout, stages: readonly Stage[]): void {
    this.#scene = scene;
    this.#layout = layout;
    this.#stages = stages;
    this.refresh();
  }

  /** Draws everything again, for example in other colours. */
  refresh(): void {
    const { width, height } = this.#layout;
    this.#ratio = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.element, this.#done]) {
      canvas.width = Math.round(width * this.#ratio);
      canvas.height = Math.round(height * this.#ratio);
    }
    this.element.style.width = `${width}px`;
    this.element.style.height = `${height}px`;
    this.#colours = undefined;
    this.#finished = -1;
  }

  /** Draws the stages before `index`, and the part `passed` of that stage. */
  draw(index: number, passed: number): void {
    const context = this.element.getContext('2d');
    if (!context || !this.element.parentElement) return;
    if (!this.#colours) {
      this.#colours = coloursOf(this.element.parentElement);
      this.#strips.paint(this.#scene, this.#colours);
    }
    if (this.#finished !== index) this.#finish(index, this.#colours);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.element.width, this.element.height);
    context.drawImage(this.#done, 0, 0);
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    const stage = this.#stages[index];
    if (stage) this.#stage(context, this.#colours, stage, passed, true);
  }

  /** Draws the stages before `index` into the bitmap. */
  #finish(index: number, colours: Colours): void {
    const context = this.#done.getContext('2d') as CanvasRenderingContext2D;
    if (this.#finished < 0 || index < this.#finished) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.#done.width, this.#done.height);
      context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
      this.#ground(context, colours);
      this.#finished = 0;
    }
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    for (const stage of this.#stages.slice(this.#finished, index))
      this.#stage(context, colours, stage, 1, false);
    this.#finished = index;
  }

  /** What is there from the start: rows, columns of vectors as empty places, threads of the memory. */
  #ground(c: CanvasRenderingContext2D, { fill, line, soft }: Colours): void {
    const { columns, rowHeight } = this.#layout;
    for (const { stack, kind, x, width } of columns) {
      const rows = this.#rowsOf(stack);
      for (let row = 0; row < rows; row++) {
        const y = this.#layout.y(stack, row);
        if (kind === 'embedding' || kind === 'out' || kind === 'memory') {
          c.fillStyle = fill;
          c.fillRect(x, y - 0.32 * rowHeight, width, 0.64 * rowHeight);
        } else if (kind !== 'tokens' && kind !== 'next') {
          c.strokeStyle = line;
          c.globalAlpha = 0.6;
          c.lineWidth = 1;
          c.beginPath();
          c.moveTo(x, y);
          c.lineTo(x + width, y);
          c.stroke();
          c.globalAlpha = 1;
        }
      }
    }
    for (const column of columns.filter(({ kind }) => kind === 'cross')) {
      for (const i of this.#scene.source.keys()) this.#thread(c, column, i, line, 1, 0.8);
      this.#arrows(c, column, soft);
    }
  }

  /** An arrow where each thread of the memory reaches a cross-attention. */
  #arrows(c: CanvasRenderingContext2D, column: Column, colour: string): void {
    const y = this.#layout.tops.decoder.rows + 2;
    const size = this.#layout.isNarrow ? 1.8 : 3.2;
    c.fillStyle = colour;
    for (const i of this.#scene.source.keys()) {
      const { x } = this.#layout.thread(i, column);
      c.beginPath();
      c.moveTo(x - size, y - 2 * size);
      c.lineTo(x + size, y - 2 * size);
      c.lineTo(x, y);
      c.fill();
    }
  }

  #rowsOf = (stack: Column['stack']): number =>
    stack === 'encoder' ? this.#scene.source.length : this.#scene.target.length;

  #stage(c: CanvasRenderingContext2D, colours: Colours, stage: Stage, passed: number, isNow: boolean): void {
    const { kind, stack, layer, token } = stage;
    const p = ease(passed);
    const column = this.#layout.column(stack, kind === 'back' ? 'next' : kind, layer);
    if (!column) return;
    const rows = stack === 'encoder' ? [...this.#scene.source.keys()] : [token];
    if (kind === 'embedding' && stack === 'decoder' && token === 0)
      this.#tokens(c, colours, this.#tokenColumn, [0], p);
    if (kind === 'back') this.#back(c, colours, token, p, isNow);
    else if (kind === 'tokens') this.#tokens(c, colours, column, rows, passed);
    else if (kind === 'self') this.#self(c, colours, column, rows, passed, isNow);
    else if (kind === 'cross') this.#cross(c, colours, column, token, passed, isNow);
    else if (kind === 'next') this.#next(c, colours, column, token, p, isNow);
    else for (const row of rows) this.#strips.draw(c, this.#layout, column, row, p);
    if (kind === 'memory') this.#frame(c, colours, column, p);
  }

  get #tokenColumn(): Column {
    return this.#layout.column('decoder', 'tokens') as Column;
  }

  /** Tokens come in one after the other. */
  #tokens(
    c: CanvasRenderingContext2D,
    { ink }: Colours,
    column: Column,
    rows: readonly number[],
    passed: number,
  ): void {
    const labels = column.stack === 'encoder' ? this.#scene.source : this.#scene.target;
    for (const [n, row] of rows.entries()) {
      const p = ease(Math.min(1, Math.max(0, passed * 1.6 - (0.6 * n) / Math.max(1, rows.length))));
      c.globalAlpha = p;
      this.#label(
        c,
        labels[row] ?? '',
        column.x + column.width - 4 - 24 * (1 - p),
        this.#layout.y(column.stack, row),
        ink,
      );
      c.globalAlpha = 1;
    }
  }

  #label(c: CanvasRenderingContext2D, text: string, right: number, y: number, colour: string): void {
    c.font = `${this.#layout.isNarrow ? 11 : 13}px system-ui, sans-serif`;
    c.textAlign = 'right';
    c.textBaseline = 'middle';
    c.fillStyle = colour;
    c.fillText(text, right, y, this.#tokenColumn.width - 4);
  }

  /** The heads of self-attention light up one after the other: lines from the keys on the left to the queries. */
  #self(
    c: CanvasRenderingContext2D,
    colours: Colours,
    column: Column,
    rows: readonly number[],
    passed: number,
    isNow: boolean,
  ): void {
    const heads = this.#scene[column.stack].layers[column.layer]?.self ?? [];
    const [x0, x1] = [column.x, column.x + column.width];
    for (const [h, head] of heads.entries()) {
      const p = ease(Math.min(1, Math.max(0, passed * heads.length * 0.75 - 0.6 * h)));
      if (p === 0) continue;
      c.strokeStyle = colours.heads[h % colours.heads.length] as string;
      for (const q of rows)
        for (const [k, weight] of (head[q] ?? []).entries()) {
          if (weight < faint) continue;
          const [from, to] = [this.#layout.y(column.stack, k), this.#layout.y(column.stack, q)];
          c.globalAlpha = weight * (isNow ? 0.95 : 0.55) * p;
          c.lineWidth = 0.6 + 2 * weight;
          c.beginPath();
          c.moveTo(x0, from);
          const middle = (x0 + x1) / 2 + (h - heads.length / 2) * 3;
          c.bezierCurveTo(middle, from, middle, to, x0 + (x1 - x0) * p, from + (to - from) * p);
          c.stroke();
        }
      c.globalAlpha = 1;
    }
    if (isNow) this.#lamps(c, colours, column, heads.length, passed);
  }

  /** A light for each head above a column. */
  #lamps(c: CanvasRenderingContext2D, colours: Colours, column: Column, count: number, passed: number): void {
    const y = this.#layout.tops[column.stack].rows - 4;
    for (let h = 0; h < count; h++) {
      c.globalAlpha = passed * count > h ? 1 : 0.25;
      c.fillStyle = colours.heads[h % colours.heads.length] as string;
      c.fillRect(column.x + h * 7, y, 5, 3);
    }
    c.globalAlpha = 1;
  }

  /** The thread of a token of the memory, up to a part of its way. */
  #thread(
    c: CanvasRenderingContext2D,
    column: Column,
    i: number,
    colour: string,
    part: number,
    lineWidth: number,
  ): void {
    const { corners } = this.#layout.thread(i, column);
    c.strokeStyle = colour;
    c.lineWidth = lineWidth;
    c.beginPath();
    const lengths = corners.slice(1).map(([x, y], n) => {
      const [a, b] = corners[n] as readonly [number, number];
      return Math.abs(x - a) + Math.abs(y - b);
    });
    let left = part * lengths.reduce((a, b) => a + b, 0);
    for (const [n, [x, y]] of corners.entries()) {
      if (n === 0) {
        c.moveTo(x, y);
        continue;
      }
      const [a, b] = corners[n - 1] as readonly [number, number];
      const share = Math.min(1, left / Math.max(1e-6, lengths[n - 1] as number));
      c.lineTo(a + (x - a) * share, b + (y - b) * share);
      left -= lengths[n - 1] as number;
      if (left <= 0) break;
    }
    c.stroke();
  }

  /** Cross-attention: the threads of the memory that the token reads light up, and knots show how much. */
  #cross(
    c: CanvasRenderingContext2D,
    colours: Colours,
    column: Column,
    token: number,
    passed: number,
    isNow: boolean,
  ): void {
    const heads = this.#scene.decoder.layers[column.layer]?.cross ?? [];
    const mean = (i: number) => heads.reduce((sum, head) => sum + (head[token]?.[i] ?? 0), 0) / heads.length;
    const y = this.#layout.y('decoder', token);
    const arrive = ease(Math.min(1, passed * 2));
    const tie = ease(Math.max(0, passed * 2 - 1));
    if (isNow) {
      for (const i of this.#scene.source.keys()) {
        const weight = mean(i);
        if (weight < faint) continue;
        c.globalAlpha = 0.25 + 0.75 * weight;
        this.#thread(c, column, i, colours.minus, arrive, 0.8 + 2.2 * weight);
        c.globalAlpha = 1;
      }
      this.#lamps(c, colours, column, heads.length, passed);
    }
    // A knot: its area is the mean weight, its sectors the shares of the heads.
    const radius = Math.max(
      3.5,
      Math.min(0.5 * this.#layout.rowHeight, (0.55 * column.width) / this.#scene.source.length),
    );
    for (const i of this.#scene.source.keys()) {
      const weight = mean(i);
      if (weight < faint) continue;
      const { x } = this.#layout.thread(i, column);
      let angle = -Math.PI / 2;
      for (const [h, head] of heads.entries()) {
        const share = (head[token]?.[i] ?? 0) / heads.length / weight;
        c.fillStyle = colours.heads[h % colours.heads.length] as string;
        c.globalAlpha = isNow ? 1 : 0.85;
        c.beginPath();
        c.moveTo(x, y);
        c.arc(x, y, radius * Math.sqrt(weight) * tie, angle, angle + 2 * Math.PI * share);
        c.fill();
        angle += 2 * Math.PI * share;
      }
    }
    c.globalAlpha = 1;
  }

  /** The likely tokens as bars: all of them while they are computed, then the best. */
  #next(
    c: CanvasRenderingContext2D,
    colours: Colours,
    column: Column,
    token: number,
    p: number,
    isNow: boolean,
  ): void {
    const likely = this.#scene.next[token] ?? [];
    const y = this.#layout.y('decoder', token);
    const step = this.#layout.isNarrow ? 13 : 16;
    const size = this.#layout.isNarrow ? 10 : 12;
    const list = isNow ? likely : likely.slice(0, 1);
    const top = isNow ? Math.min(y, this.#layout.height - 26 - (list.length - 0.5) * step) : y;
    if (isNow && list.length > 1) {
      c.fillStyle = colours.card;
      c.strokeStyle = colours.line;
      c.lineWidth = 1;
      c.beginPath();
      c.roundRect(column.x - 3, top - step / 2 - 2, column.width + 2, list.length * step + 4, 6);
      c.fill();
      c.stroke();
    }
    for (const [n, [label, probability]] of list.entries()) {
      const at = top + n * step;
      c.fillStyle = n === 0 ? colours.good : colours.soft;
      c.globalAlpha = 0.25;
      c.fillRect(column.x, at - step / 2 + 1, column.width * 0.94 * probability * p, step - 2);
      c.globalAlpha = isNow ? Math.min(1, 2 * p) : 1;
      c.font = `${n === 0 ? 600 : 400} ${size}px system-ui, sans-serif`;
      c.textBaseline = 'middle';
      c.textAlign = 'left';
      c.fillStyle = n === 0 ? colours.ink : colours.soft;
      const share = `${Math.round(100 * probability)} %`;
      c.fillText(label, column.x + 4, at, column.width - c.measureText(share).width - 14);
      c.textAlign = 'right';
      c.fillText(share, column.x + column.width - 5, at);
      c.globalAlpha = 1;
    }
  }

  /** The chosen token flies back to the input of the decoder. */
  #back(c: CanvasRenderingContext2D, colours: Colours, token: number, p: number, isNow: boolean): void {
    const next = this.#layout.column('decoder', 'next');
    if (!next || token >= this.#scene.target.length - 1) return;
    const label = this.#scene.target[token + 1] ?? '';
    const [x0, y0] = [next.x + 40, this.#layout.y('decoder', token)];
    const to = this.#tokenColumn;
    const [x1, y1] = [to.x + to.width - 4, this.#layout.y('decoder', token + 1)];
    if (!isNow) {
      this.#label(c, label, x1, y1, colours.ink);
      return;
    }
    const bottom = this.#layout.height - 10;
    const q = 1 - p;
    const along = (a: number, b: number, d: number, e: number) =>
      q * q * q * a + 3 * q * q * p * b + 3 * q * p * p * d + p * p * p * e;
    const [x, y] = [along(x0, x0 - 40, x1 + 60, x1), along(y0, bottom + 16, bottom + 16, y1)];
    c.strokeStyle = colours.good;
    c.globalAlpha = 0.35;
    c.lineWidth = 1.5;
    c.setLineDash([3, 4]);
    c.beginPath();
    c.moveTo(x0, y0);
    c.bezierCurveTo(x0 - 40, bottom + 16, x1 + 60, bottom + 16, x1, y1);
    c.stroke();
    c.setLineDash([]);
    c.globalAlpha = 1;
    c.font = `600 ${this.#layout.isNarrow ? 11 : 13}px system-ui, sans-serif`;
    const width = c.measureText(label).width + 12;
    c.fillStyle = colours.card;
    c.strokeStyle = colours.good;
    c.beginPath();
    c.roundRect(x - width + 4, y - 10, width, 20, 7);
    c.fill();
    c.stroke();
    this.#label(c, label, x - 2, y, colours.ink);
  }

  /** A frame around the memory, which every token of the decoder reads. */
  #frame(c: CanvasRenderingContext2D, { minus }: Colours, { x, width }: Column, p: number): void {
    const { rowHeight, tops } = this.#layout;
    c.strokeStyle = minus;
    c.globalAlpha = p;
    c.lineWidth = 1.5;
    c.beginPath();
    c.roundRect(x - 3, tops.encoder.rows, width + 6, this.#scene.source.length * rowHeight, 5);
    c.stroke();
    c.globalAlpha = 1;
  }
}
