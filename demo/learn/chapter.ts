// A chapter: a short text, and an interactive figure of the model's numbers.

import { live } from 'lit-html/directives/live.js';
import type { Inspection } from '../../src/entries/reports.ts';
import { field, options } from '../common/form-fields.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import type { DemoModel } from '../train/page/demo-models.ts';
import type { Session } from '../train/page/training-session.ts';
import { scaleOf } from './tensor-views.ts';

/** The data and functions that a figure gets. */
export interface ChapterHost {
  readonly session: Pick<
    Session,
    'inspect' | 'neighbours' | 'translate' | 'previewBatches' | 'startByHand' | 'updateByHand'
  >;
  /** Values of controls that the visitor has set: those of the next chapter with such a control. */
  readonly kept: KeptValues;
  /** Languages of the model, as BCP 47 tags. */
  readonly languages: { readonly source: string; readonly target: string };
  /** The sentence that was computed. */
  text(): string;
  /** Computes the sentence again, for a given target. */
  compute(target?: readonly number[]): Promise<void>;
  /** Loads a model that ships with the page, for the same sentence or another one, and shows the chapter again. */
  use(model: DemoModel, text?: string): Promise<void>;
  /** Awaits work of the figure, and shows its error unless another figure is shown by then. */
  attempt(work: Promise<void>): void;
}

/** What the visitor guesses before a figure is shown. */
export interface Prediction {
  readonly options: readonly string[];
  /** The right option, if the inspection tells it. */
  readonly right?: string;
}

/** A chapter. */
export interface Chapter {
  /** Its address: the hash of the page. */
  readonly id: string;
  readonly title: string;
  /** What the visitor finds out by touching the figure, before the text; at most 40 words. */
  readonly question: string;
  /** The guess that its question asks for; without one the figure is shown at once. */
  prediction?(inspection: Inspection): Prediction | undefined;
  /** Paragraphs below the figure, together at most 150 words. */
  readonly text: readonly string[];
  /** Creates its figure. */
  figure(inspection: Inspection, host: ChapterHost): Panel;
}

/** Numbers that the visitor has set, by the names of their controls. */
export class KeptValues {
  readonly #values: Map<string, number>;

  constructor(values: Iterable<readonly [string, number]> = []) {
    this.#values = new Map(values);
  }

  /** All numbers that are set. */
  get all(): ReadonlyMap<string, number> {
    return this.#values;
  }

  /** The number of a control; `fallback` if it was not set or is not below `limit`. */
  get(name: string, fallback: number, limit = Number.POSITIVE_INFINITY): number {
    const value = this.#values.get(name);
    return value !== undefined && value < limit ? value : fallback;
  }

  set(name: string, value: number): void {
    this.#values.set(name, value);
  }
}

/** A figure with controls above a picture. */
export abstract class Figure extends Panel {
  protected readonly inspection: Inspection;
  protected readonly host: ChapterHost;

  constructor(inspection: Inspection, host: ChapterHost) {
    super();
    this.inspection = inspection;
    this.host = host;
  }

  protected abstract controls(): Content;
  protected abstract picture(): Content;

  protected override template(): Content {
    return html`
      <div class="row controls">${this.controls()}</div>
      <div class="stack" data-picture>${this.picture()}</div>`;
  }

  /** The scale of the strips of vectors that are shown together; undefined if each has its own. */
  protected sharedScale(...vectors: readonly Float32Array[]): number | undefined {
    return this.host.kept.get('one scale', 1) === 1 ? scaleOf(...vectors) : undefined;
  }

  /** The switch between one scale for all strips and one for each. */
  protected scaleSwitch(): Content {
    const change = (event: Event) => {
      this.host.kept.set('one scale', (event.target as HTMLInputElement).checked ? 1 : 0);
      this.draw();
    };
    const isOne = this.host.kept.get('one scale', 1) === 1;
    return html`<label class="check"
      ><input type="checkbox" id="one-scale" .checked=${live(isOne)} @change=${change} />One scale for all strips</label
    >`;
  }

  /** A list of the numbers from 1; its value is kept. */
  protected numberList(label: string, name: string, count: number, selected: number): Content {
    const id = `figure-${name.replaceAll(' ', '-')}`;
    const numbers = Array.from({ length: count }, (_, i) => [String(i), String(i + 1)] as const);
    const change = (event: Event) => {
      this.host.kept.set(name, Number((event.target as HTMLSelectElement).value));
      this.draw();
    };
    const list = options(numbers, String(selected));
    return field(id, label, html`<select id=${id} @input=${change}>${list}</select>`);
  }
}

/** A slider. */
export interface Slider {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  onInput(value: number): void;
}

/** A slider with its value in its label. */
export const sliderField = ({ id, label, value, min, max, onInput }: Slider): Content =>
  field(
    id,
    html`${label}: <span class="number" aria-hidden="true">${value}</span>`,
    html`<input
      id=${id}
      type="range"
      min=${min}
      max=${max}
      step="0.1"
      .value=${live(String(value))}
      @input=${(event: Event) => onInput((event.target as HTMLInputElement).valueAsNumber)}
    />`,
  );
