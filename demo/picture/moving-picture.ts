// The moving picture: a translation on its way through the encoder and the decoder, with the numbers of a model. A page
// mounts it with a scene (see scene.ts):
//
//   const picture = new MovingPicture(scene);
//   place.append(picture.element);
//
// It plays when it is visible, and stops where the visitor clicks. With reduced motion it begins at its last frame.

import './picture.css';
import { live } from 'lit-html/directives/live.js';
import { whenVisible } from '../common/dom.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { dataTable, signed } from '../common/tables.ts';
import { PictureCanvas } from './picture-canvas.ts';
import { type Column, layoutOf, type PictureLayout } from './picture-layout.ts';
import type { Scene } from './scene.ts';
import { lengthOf, type Stage, stageAt, stagesOf } from './timeline.ts';

/** Where the visitor has stopped the picture. */
export interface PictureStop {
  readonly column: Column;
  /** Number of the token of the stack. */
  readonly row: number;
}

/** Options of a picture. */
export interface PictureOptions {
  /** What is shown below the picture where it stops. [its numbers] */
  readonly numbers?: (stop: PictureStop) => Content;
}

/** Least milliseconds between frames: 60 a second. */
const frame = 15;

/** The picture with its controls. */
export class MovingPicture extends Panel {
  readonly #options: PictureOptions;
  #scene: Scene;
  #stages: readonly Stage[];
  #layout: PictureLayout;
  readonly #canvas: PictureCanvas;
  /** Milliseconds from the start of the picture. */
  #time = 0;
  #isPlaying = false;
  #isVisible = false;
  #last = 0;
  #stage = -1;
  #stop: PictureStop | undefined;

  constructor(scene: Scene, options: PictureOptions = {}) {
    super('picture');
    this.#options = options;
    this.#scene = scene;
    this.#stages = stagesOf(scene);
    // About the width of its card; the observer below measures it.
    this.#layout = layoutOf(scene, Math.min(1268, document.documentElement.clientWidth - 60));
    this.#canvas = new PictureCanvas(scene, this.#layout, this.#stages);
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (isStill) this.#time = lengthOf(this.#stages);
    this.draw();
    new ResizeObserver(([entry]) => this.#resize(entry?.contentRect.width ?? 0)).observe(this.element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
    new MutationObserver(() => this.#redraw()).observe(document.documentElement, {
      attributeFilter: ['data-theme'],
    });
    new IntersectionObserver((entries) => {
      this.#isVisible = entries.some(({ isIntersecting }) => isIntersecting);
      this.#tick();
    }).observe(this.element);
    if (!isStill) whenVisible(this.element, () => this.play());
  }

  /** The scene that is shown; another one starts from the beginning. */
  set scene(scene: Scene) {
    this.#scene = scene;
    this.#stages = stagesOf(scene);
    this.#stop = undefined;
    this.#stage = -1;
    this.#time = matchMedia('(prefers-reduced-motion: reduce)').matches ? lengthOf(this.#stages) : 0;
    this.#layout = layoutOf(scene, this.#layout.width);
    this.#redraw();
  }

  play(): void {
    if (this.#time >= lengthOf(this.#stages)) this.#time = 0;
    this.#isPlaying = true;
    this.#stop = undefined;
    this.draw();
    this.#tick();
  }

  pause(): void {
    this.#isPlaying = false;
    this.draw();
  }

  /** Shows a moment: milliseconds from the start. */
  seek(time: number): void {
    this.#time = time;
    this.#paint();
  }

  #resize(width: number): void {
    if (width === 0 || Math.abs(width - this.#layout.width) < 1) return;
    this.#layout = layoutOf(this.#scene, width);
    this.#redraw();
  }

  #redraw(): void {
    this.#canvas.set(this.#scene, this.#layout, this.#stages);
    this.draw();
    this.#paint();
  }

  /** Asks for the next frame if the picture plays where it is seen. */
  #tick(): void {
    if (!this.#isPlaying || !this.#isVisible || this.#last !== 0) return;
    const next = (now: number) => {
      if (!this.#isPlaying || !this.#isVisible) {
        this.#last = 0;
        return;
      }
      requestAnimationFrame(next);
      const passed = now - this.#last;
      if (this.#last !== 1 && passed < frame) return;
      // A tab that was hidden goes on where it was.
      if (this.#last !== 1) this.#time += Math.min(passed, 100);
      this.#last = now;
      if (this.#time >= lengthOf(this.#stages)) this.#time = 0;
      this.#paint();
    };
    this.#last = 1;
    requestAnimationFrame(next);
  }

  /** Draws the present moment; the words below only when the stage is another. */
  #paint(): void {
    const { index, passed } = stageAt(this.#stages, this.#time);
    this.#canvas.draw(index, passed);
    if (index === this.#stage) return;
    this.#stage = index;
    this.drawSoon();
  }

  /** Stops at a part, at the row that was clicked or at the present one. */
  #stopAt(column: Column, event: MouseEvent): void {
    const rows = column.stack === 'encoder' ? this.#scene.source.length : this.#scene.target.length;
    const now = this.#stages[this.#stage];
    const clicked = event.detail > 0 ? this.#rowAt(column, event) : undefined;
    const row = Math.min(rows - 1, Math.max(0, clicked ?? (column.stack === now?.stack ? now.token : 0)));
    this.#show({ column, row });
  }

  #rowAt(column: Column, event: MouseEvent): number {
    const { top } = this.#canvas.element.getBoundingClientRect();
    return Math.floor((event.clientY - top - this.#layout.tops[column.stack].rows) / this.#layout.rowHeight);
  }

  #show(stop: PictureStop): void {
    const { column, row } = stop;
    const found = this.#stages.find(
      (one) =>
        one.kind === column.kind &&
        one.stack === column.stack &&
        one.layer === column.layer &&
        (column.stack === 'encoder' || one.token === row),
    );
    this.#isPlaying = false;
    this.#stop = stop;
    if (found) this.#time = found.start + 0.92 * found.length;
    this.draw();
    this.#paint();
  }

  protected override template(): Content {
    const { columns, height, isNarrow } = this.#layout;
    return html`
      <div class="picture-stage" .style=${`height: ${height}px`} data-narrow=${isNarrow ? '' : nothing}>
        ${this.#canvas.element}
        ${columns.map((column) => this.#part(column))}
        <p class="picture-caption" aria-live="off">${this.#caption()}</p>
      </div>
      <div class="picture-bar">
        <button type="button" class="quiet" @click=${() => (this.#isPlaying ? this.pause() : this.play())}>
          ${this.#isPlaying ? say`Pause` : say`Play`}
        </button>
        <input
          type="range"
          aria-label="Moment of the picture"
          aria-valuetext=${this.#words()}
          min="0"
          max=${this.#stages.length - 1}
          step="1"
          .value=${live(String(Math.max(0, this.#stage)))}
          @input=${(event: Event) => this.#slide((event.target as HTMLInputElement).valueAsNumber)}
        />
        <span class="hint picture-help">Click any part to stop there.</span>
      </div>
      ${this.#stop ? this.#numbers(this.#stop) : nothing}`;
  }

  #slide(index: number): void {
    this.#isPlaying = false;
    const stage = this.#stages[index];
    if (stage) this.#time = stage.start + 0.9 * stage.length;
    this.#paint();
    this.draw();
  }

  /** A part as a button over its column. */
  #part(column: Column): Content {
    const { tops, rowHeight } = this.#layout;
    const { stack, x, width } = column;
    const rows = stack === 'encoder' ? this.#scene.source.length : this.#scene.target.length;
    const top = tops[stack].heading;
    const place = `left: ${x}px; width: ${width}px; top: ${top}px; height: ${tops[stack].rows - top + rows * rowHeight}px`;
    const isOn = this.#stop?.column === column;
    return html`<button
      type="button"
      class="picture-part"
      .style=${place}
      aria-pressed=${isOn ? 'true' : 'false'}
      title=${partName(column)}
      @click=${(event: MouseEvent) => this.#stopAt(column, event)}
    ><span>${partLabel(column)}</span><span class="unseen">, ${partName(column)}</span></button>`;
  }

  #caption(): Content {
    return this.#words();
  }

  /** What happens at the present stage, with its numbers. */
  #words(): string {
    const stage = this.#stages[this.#stage] ?? this.#stages[0];
    if (!stage) return '';
    const { source, target, text, decoder, next } = this.#scene;
    const token = target[stage.token] ?? '';
    const [best = '', share = 0] = next[stage.token]?.[0] ?? [];
    if (stage.stack === 'encoder') {
      if (stage.kind === 'tokens') return say`The sentence comes in as ${source.length} tokens.`;
      if (stage.kind === 'embedding') return say`Each token becomes a vector: blue above zero, rust below.`;
      if (stage.kind === 'self')
        return say`Layer ${stage.layer + 1}: each token looks at the others, head by head.`;
      if (stage.kind === 'out') return say`Layer ${stage.layer + 1}: each vector is changed on its own.`;
      return say`The memory: what the encoder knows. Its threads go to each cross-attention.`;
    }
    if (stage.kind === 'embedding') return say`The decoder reads “${token}”.`;
    if (stage.kind === 'self')
      return say`Layer ${stage.layer + 1}: “${token}” looks at what is written so far.`;
    if (stage.kind === 'cross') {
      const means = meanRow(decoder.layers[stage.layer]?.cross ?? [], stage.token);
      const most = means.indexOf(Math.max(...means));
      return say`Layer ${stage.layer + 1}: after “${token}” the model looks at “${source[most] ?? ''}” (${formatPercent(means[most] ?? 0)}).`;
    }
    if (stage.kind === 'out') return say`Layer ${stage.layer + 1}: the vector is changed on its own.`;
    if (stage.kind === 'next') return say`The next token: “${best}” with ${formatPercent(share)}.`;
    if (stage.token >= target.length - 1) return say`The translation is finished: ${text}`;
    return say`“${target[stage.token + 1] ?? ''}” goes back to the input of the decoder.`;
  }

  /** The numbers of a part. */
  #numbers(stop: PictureStop): Content {
    const { column, row } = stop;
    const tokens = column.stack === 'encoder' ? this.#scene.source : this.#scene.target;
    const pick = (at: number) => () => this.#show({ column, row: at });
    return html`
      <div class="picture-numbers stack">
        <h3>${partName(column)}</h3>
        <div class="picture-tokens" role="group" aria-label="Token">
          ${tokens.map(
            (label, at) =>
              html`<button type="button" class="quiet" aria-pressed=${at === row ? 'true' : 'false'} @click=${pick(at)} dir="auto">${label}</button>`,
          )}
        </div>
        ${this.#options.numbers?.(stop) ?? numbersOf(this.#scene, stop)}
      </div>`;
  }
}

/** The mean of the heads for a query. */
const meanRow = (heads: readonly (readonly (readonly number[])[])[], query: number): number[] =>
  (heads[0]?.[query] ?? []).map(
    (_, key) => heads.reduce((sum, head) => sum + (head[query]?.[key] ?? 0), 0) / heads.length,
  );

/** The numbers of a scene at a part. */
function numbersOf(scene: Scene, { column, row }: PictureStop): Content {
  const { stack, kind, layer } = column;
  const part = scene[stack].layers[layer];
  if (kind === 'self' || kind === 'cross') {
    const heads = (kind === 'self' ? part?.self : part?.cross) ?? [];
    const keys = kind === 'self' && stack === 'decoder' ? scene.target.slice(0, row + 1) : scene.source;
    const rows = heads.map((head, h) => [
      say`Head ${h + 1}`,
      ...keys.map((_, key) => formatPercent(head[row]?.[key] ?? 0)),
    ]);
    return dataTable(say`How much each head looks at each token`, ['', ...keys], rows);
  }
  if (kind === 'next')
    return dataTable(
      say`The likely next tokens`,
      [say`Token`, say`Probability`],
      (scene.next[row] ?? []).map(([label, p]) => [label, formatPercent(p)]),
    );
  if (kind === 'tokens')
    return html`<p class="hint">A token is a word or a piece of one. The model knows it as a number.</p>`;
  const vectors =
    kind === 'memory'
      ? scene.encoder.memory
      : kind === 'embedding'
        ? scene[stack].embedding
        : (part?.out ?? []);
  return html`
    <p class="hint">The first numbers of the vector:</p>
    <p class="number mono picture-vector">${(vectors[row] ?? []).map((x) => signed(x)).join('  ')}</p>`;
}

/** The short label of a part, above its column. */
function partLabel({ kind, stack, layer }: Column): string {
  const number = layer + 1;
  if (kind === 'tokens') return stack === 'encoder' ? say`Source` : say`Written so far`;
  if (kind === 'embedding') return say`Vector`;
  if (kind === 'self') return say`Self-attention ${number}`;
  if (kind === 'cross') return say`Cross-attention ${number}`;
  if (kind === 'out') return say`Layer ${number}`;
  return kind === 'memory' ? say`Memory` : say`Next token`;
}

/** The name of a part. */
function partName({ kind, stack, layer }: Column): string {
  const number = layer + 1;
  if (stack === 'encoder') {
    if (kind === 'tokens') return say`Encoder: tokens of the source`;
    if (kind === 'embedding') return say`Encoder: embedding and position`;
    if (kind === 'self') return say`Encoder, layer ${number}: self-attention`;
    if (kind === 'memory') return say`Memory: output of the encoder`;
    return say`Encoder, layer ${number}: vectors after the feed-forward network`;
  }
  if (kind === 'tokens') return say`Decoder: tokens of the target`;
  if (kind === 'embedding') return say`Decoder: embedding and position`;
  if (kind === 'self') return say`Decoder, layer ${number}: masked self-attention`;
  if (kind === 'cross') return say`Decoder, layer ${number}: cross-attention to the memory`;
  if (kind === 'next') return say`Output: the next token`;
  return say`Decoder, layer ${number}: vectors after the feed-forward network`;
}
