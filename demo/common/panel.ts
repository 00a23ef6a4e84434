// A panel: a part of a page with state in fields and a template that shows it. lit-html updates only what
// differs from the last drawing, so focus, scroll position and half-written text stay.

import { html as litHtml, svg as litSvg, nothing, render, type TemplateResult } from 'lit-html';
import { escapeControls } from '../../src/entries/host.ts';
import { onFrame } from './dom.ts';
import { type TranslatedTemplate, translateTemplate } from './markup-texts.ts';
import { isTranslated, translationOf } from './page-texts.ts';

export { nothing };

/** The end of a template's string before the value of an attribute. */
const attribute = /=(?:"[^"]*|'[^']*)?$/;

/**
 * The values of a template. Texts in elements show control characters and marks that turn a line around as escapes:
 * names and texts come from files and links.
 */
const shown = (strings: TemplateStringsArray, values: readonly unknown[]): unknown[] =>
  values.map((value, i) =>
    typeof value === 'object' || !attribute.test(strings[i] as string) ? escaped(value) : value,
  );

/** A value whose texts, also those in lists, have escapes. */
const escaped = (value: unknown): unknown =>
  typeof value === 'string' ? escapeControls(value) : Array.isArray(value) ? value.map(escaped) : value;

/** A tag of lit-html whose templates are in the language of the page. */
const inLanguage = <Tag extends (strings: TemplateStringsArray, ...values: unknown[]) => unknown>(tag: Tag) =>
  ((strings, ...given) => {
    const values = shown(strings, given);
    if (!isTranslated) return tag(strings, ...values);
    let template = templates.get(strings);
    if (!template) {
      template = translateTemplate(strings, translationOf);
      templates.set(strings, template);
    }
    return tag(template.strings, ...template.order.map((i) => values[i]));
  }) as Tag;

/** The translated templates by their strings, which are the same at each call of a template. */
const templates = new WeakMap<TemplateStringsArray, TranslatedTemplate>();

/** A template of elements, in the language of the page. */
export const html = inLanguage(litHtml);

/** A template of elements of a drawing, in the language of the page. */
export const svg = inLanguage(litSvg);

/** What a template shows; `nothing` and undefined show nothing. Text is never read as markup. */
export type Content =
  | TemplateResult
  | TemplateResult<2>
  | Node
  | string
  | number
  | undefined
  | typeof nothing
  | readonly Content[];

/**
 * A part of a page. A subclass has its state in fields and returns its content from `template()`; a handler
 * changes fields and draws. Its constructor ends with `draw()`.
 */
export abstract class Panel {
  readonly element: HTMLElement;
  /** Draws in the next frame: events of a training are faster than frames. */
  readonly drawSoon: () => void = onFrame(() => this.draw());

  constructor(className = 'stack') {
    this.element = document.createElement('div');
    this.element.className = className;
  }

  /** The content for the present state. Methods that it names as handlers are called on the panel. */
  protected abstract template(): Content;

  draw(): void {
    render(this.template(), this.element, { host: this });
  }

  /** The first element in the panel that a selector matches; throws if there is none. */
  protected find<E extends Element = HTMLInputElement>(selector: string): E {
    const found = this.element.querySelector<E>(selector);
    if (!found) throw new Error(`the panel has no element ${selector}`);
    return found;
  }
}

/** Shows a template in an element of the page, after what the element has in the HTML file. */
export function show(content: Content, place: HTMLElement): void {
  render(content, place);
}
