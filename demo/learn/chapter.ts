// A chapter: a short text, and an interactive figure of the model's numbers.

import type { Inspection } from '../../src/index.ts';
import { el, setText, stack } from '../common/dom.ts';
import { field } from '../common/form-controls.ts';
import type { DemoModel } from '../train/page/demo-models.ts';
import type { Session } from '../train/page/training-session.ts';

/** The data and functions that a figure gets. */
export interface ChapterHost {
  readonly session: Pick<Session, 'inspect' | 'translate'>;
  /** The sentence that was computed. */
  readonly text: () => string;
  /** Computes the sentence again, for a given target. */
  compute(target?: readonly number[]): Promise<void>;
  /** Loads a model that ships with the page, and shows the chapter again. */
  use(model: DemoModel): Promise<void>;
  /** Gives a control the value that the visitor last set under this name, and remembers its next values. */
  keep<C extends HTMLInputElement | HTMLSelectElement>(control: C, name: string): C;
  /** Awaits work of the picture, and shows its error unless another picture is shown by then. */
  attempt(work: Promise<void>): void;
}

/** A chapter. */
export interface Chapter {
  /** Its address: the hash of the page. */
  readonly id: string;
  readonly title: string;
  /** Paragraphs, together at most 150 words. */
  readonly text: readonly string[];
  picture(inspection: Inspection, host: ChapterHost): HTMLElement;
}

/** Creates a figure with controls; `draw` draws it, now and after each input. */
export function withControls(
  controls: readonly HTMLElement[],
  draw: (place: HTMLElement) => void,
): HTMLElement {
  const place = el('div', { class: 'stack', 'data-picture': '' });
  const row = el('div', { class: 'row controls' }, ...controls);
  row.addEventListener('input', () => draw(place));
  draw(place);
  return stack(row, place);
}

/** A slider with its value in its label. */
export function sliderField(label: string, slider: HTMLInputElement): HTMLElement {
  const element = field(label, slider);
  const value = el('span', { class: 'number', 'aria-hidden': 'true' }, slider.value);
  slider.addEventListener('input', () => setText(value, slider.value));
  element.querySelector('label')?.append(': ', value);
  return element;
}
