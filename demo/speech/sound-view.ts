// What was heard over time: the spectrogram with a time axis, and below it the cross-attention of each token. Drawn
// on canvases in the colours of the theme; a list gives the time that each token attends to most.

import type { SpeechAttention } from '../../src/entries/speech.ts';
import { field, options } from '../common/form-fields.ts';
import { fixed, inDigits } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { termList } from '../common/terms.ts';
import { colour, onThemeChange } from '../common/theme.ts';

/** Frames of features a second. */
const framesPerSecond = 100;
/** Heights in pixels: of the spectrogram, the axis, and a token; and the width of the labels of tokens. */
const [spectrumHeight, axisHeight, rowHeight, labelWidth] = [120, 22, 20, 110];
/** Shortest time that fills the width while the microphone records, in seconds. */
const shortest = 3;

type Rgb = readonly [number, number, number];

const rgbOf = (variable: string): Rgb =>
  (colour(variable)
    .match(/[\d.]+/g)
    ?.slice(0, 3)
    .map(Number) ?? [0, 0, 0]) as unknown as Rgb;

/** A step of the axis that leaves room for its labels. */
function axisStep(seconds: number, width: number): number {
  const wanted = (seconds * 60) / width;
  return [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60].find((step) => step >= wanted) ?? 300;
}

/** The weights of a layer and head or their mean over all, [T, S]. */
function meanAttention(a: SpeechAttention, layer: number, head: number): Float32Array {
  const size = a.tokens.length * a.positions;
  const out = new Float32Array(size);
  let count = 0;
  for (let l = 0; l < a.layers; l++)
    for (let h = 0; h < a.heads; h++) {
      if ((layer >= 0 && l !== layer) || (head >= 0 && h !== head)) continue;
      count++;
      const from = (l * a.heads + h) * size;
      for (let i = 0; i < size; i++) out[i] = (out[i] as number) + (a.weights[from + i] as number);
    }
  return out.map((weight) => weight / Math.max(1, count));
}

/** The views. */
export class SoundView extends Panel {
  /** Features or logarithms [frames, mels]. */
  #levels: number[] | Float32Array = [];
  #mels = 80;
  #attention: SpeechAttention | undefined;
  #windows: readonly SpeechAttention[] = [];
  #layer = -1;
  #head = -1;

  constructor() {
    super('sound-view');
    this.draw();
    onThemeChange(() => this.drawSoon());
    new ResizeObserver(() => this.drawSoon()).observe(this.element);
  }

  /** Begins a recording. */
  clear(): void {
    this.#levels = [];
    this.#windows = [];
    this.#attention = undefined;
    this.draw();
  }

  /** Adds frames of a recording. */
  add(logs: Float32Array, mels: number): void {
    if (!Array.isArray(this.#levels)) this.#levels = [];
    this.#mels = mels;
    for (const log of logs) this.#levels.push(log);
    this.drawSoon();
  }

  show(features: Float32Array, mels: number, windows: readonly SpeechAttention[]): void {
    this.#levels = features;
    this.#mels = mels;
    this.#windows = windows;
    this.#attention = windows[0];
    this.#layer = this.#head = -1;
    this.draw();
  }

  get #frames(): number {
    return this.#levels.length / this.#mels;
  }

  override draw(): void {
    super.draw();
    const width = this.element.clientWidth;
    if (width === 0 || this.#frames === 0) return;
    this.#drawSpectrum(width);
    if (this.#attention) this.#drawAttention(width, this.#attention);
  }

  /** Start and length of the time that is shown, in seconds. */
  #span(): readonly [number, number] {
    const all = this.#frames / framesPerSecond;
    const a = this.#attention;
    if (!a || this.#windows.length < 2) return [0, this.#attention ? all : Math.max(shortest, all)];
    return [a.start, Math.min(all - a.start, a.positions * a.step)];
  }

  /** A canvas of a size in pixels of the page. */
  #canvas(id: string, width: number, height: number): CanvasRenderingContext2D | undefined {
    const canvas = this.find<HTMLCanvasElement>(id);
    const scale = window.devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context?.scale(scale, scale);
    return context ?? undefined;
  }

  #drawSpectrum(width: number): void {
    const context = this.#canvas('#spectrum', width, spectrumHeight + axisHeight);
    if (!context) return;
    const [start, seconds] = this.#span();
    const [paper, ink] = [rgbOf('--fill'), rgbOf('--c1')];
    const [mels, levels] = [this.#mels, this.#levels];
    const columns = Math.max(1, Math.floor(width - labelWidth));
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const level of levels) {
      low = Math.min(low, level);
      high = Math.max(high, level);
    }
    low = Math.max(low, high - (Array.isArray(levels) ? 8 : 2));
    const image = new ImageData(columns, mels);
    for (let x = 0; x < columns; x++) {
      const frame = Math.floor((start + (x / columns) * seconds) * framesPerSecond);
      for (let m = 0; m < mels; m++) {
        const level = frame < this.#frames ? (levels[frame * mels + m] as number) : low;
        const part = Math.max(0, Math.min(1, (level - low) / (high - low || 1)));
        const at = 4 * ((mels - 1 - m) * columns + x);
        for (let c = 0; c < 3; c++)
          image.data[at + c] = (paper[c] as number) + part * ((ink[c] as number) - (paper[c] as number));
        image.data[at + 3] = 255;
      }
    }
    const drawn = new OffscreenCanvas(columns, mels);
    drawn.getContext('2d')?.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(drawn, labelWidth, 0, width - labelWidth, spectrumHeight);
    this.#drawAxis(context, width);
  }

  #drawAxis(context: CanvasRenderingContext2D, width: number): void {
    const [start, seconds] = this.#span();
    const room = width - labelWidth;
    context.fillStyle = context.strokeStyle = colour('--soft');
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'right';
    context.fillText('8 kHz', labelWidth - 8, 12);
    context.fillText('0', labelWidth - 8, spectrumHeight);
    context.textAlign = 'center';
    const step = axisStep(seconds, room);
    for (let t = Math.ceil(start / step) * step; t <= start + seconds + 1e-9; t += step) {
      const x = labelWidth + ((t - start) / seconds) * room;
      context.fillRect(Math.min(width - 1, Math.round(x)), spectrumHeight, 1, 5);
      const label = `${inDigits(String(Number(t.toFixed(1))))} s`;
      const half = context.measureText(label).width / 2;
      context.fillText(label, Math.min(width - half, x), spectrumHeight + 18);
    }
  }

  #drawAttention(width: number, a: SpeechAttention): void {
    const context = this.#canvas('#attention', width, a.tokens.length * rowHeight);
    if (!context) return;
    const [, seconds] = this.#span();
    const weights = meanAttention(a, this.#layer, this.#head);
    const room = width - labelWidth;
    const cell = (room * a.step) / seconds;
    const [ink, text] = [rgbOf('--c2').join(' '), colour('--ink')];
    context.font = '13px system-ui, sans-serif';
    for (const [t, token] of a.tokens.entries()) {
      const row = weights.subarray(t * a.positions, (t + 1) * a.positions);
      const top = Math.max(...row);
      const y = t * rowHeight;
      context.fillStyle = text;
      context.textAlign = 'right';
      context.fillText(short(token), labelWidth - 8, y + rowHeight - 6, labelWidth - 12);
      for (const [s, weight] of row.entries()) {
        const x = s * cell;
        if (x >= room) break;
        context.fillStyle = `rgb(${ink} / ${top > 0 ? weight / top : 0})`;
        context.fillRect(labelWidth + x, y + 1, Math.min(cell + 0.5, room - x), rowHeight - 2);
      }
    }
  }

  #choice(id: string, label: string, count: number, value: number, set: (value: number) => void): Content {
    const all = Array.from({ length: count }, (_, i) => [String(i), String(i + 1)] as const);
    const change = (event: Event) => {
      set(Number((event.target as HTMLSelectElement).value));
      this.draw();
    };
    const select = html`<select id=${id} @change=${change}>${options([['-1', say`mean`], ...all], String(value))}</select>`;
    return field(id, label, select);
  }

  #peaks(a: SpeechAttention): Content {
    const weights = meanAttention(a, this.#layer, this.#head);
    const peak = (t: number) => {
      const row = weights.subarray(t * a.positions, (t + 1) * a.positions);
      return a.start + row.indexOf(Math.max(...row)) * a.step;
    };
    return html`
      <details>
        <summary>Times of the tokens</summary>
        <ol class="peaks">
          ${a.tokens.map((token, t) => html`<li><b>${short(token)}</b> <span class="number">${fixed(peak(t), 2)} s</span></li>`)}
        </ol>
      </details>`;
  }

  protected override template(): Content {
    const a = this.#attention;
    const pick = (event: Event) => {
      this.#attention = this.#windows[Number((event.target as HTMLSelectElement).value)];
      this.draw();
    };
    const windows =
      this.#windows.length > 1
        ? field(
            'window',
            say`Window`,
            html`<select id="window" @change=${pick}>${options(
              this.#windows.map(({ start }, i) => [String(i), say`from ${fixed(start, 1)} s`] as const),
              String(a ? this.#windows.indexOf(a) : 0),
            )}</select>`,
          )
        : nothing;
    const controls = a
      ? html`
          <div class="fields">
            ${windows}
            ${this.#choice('layer', say`Layer`, a.layers, this.#layer, (value) => {
              this.#layer = value;
            })}
            ${this.#choice('head', say`Head`, a.heads, this.#head, (value) => {
              this.#head = value;
            })}
          </div>`
      : nothing;
    return html`
      <figure ?hidden=${this.#frames === 0}>
        <figcaption class="hint">Spectrogram, and ${a ? say`where the model looked when it wrote each token` : say`time in seconds`}</figcaption>
        <canvas id="spectrum" role="img" aria-label="Spectrogram of the recording over ${fixed(this.#frames / framesPerSecond, 1)} seconds"></canvas>
        <canvas id="attention" role="img" aria-label="Cross-attention of each token over time" ?hidden=${!a}></canvas>
      </figure>
      ${controls}
      ${a ? html`${this.#peaks(a)} ${termList('sound', ['head'])}` : nothing}`;
  }
}

/** A label with its space visible only inside, cut after 15 characters. */
function short(token: string): string {
  const text = token.trim().replaceAll(' ', '␣') || '␣';
  return [...text].length > 16 ? `${[...text].slice(0, 15).join('')}…` : text;
}
