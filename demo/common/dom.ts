// Helpers that create and update DOM elements. Text is inserted as text, never as markup, so a corpus or file
// cannot inject elements.

/** A child of an element; `false`, null and undefined are skipped. */
export type Child = Node | string | number | false | null | undefined;

/**
 * Attributes by HTML name (`class`, `aria-*`); true sets one without a value; functions are listeners
 * (`onclick`).
 */
export type Attributes = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: never) => void)>
>;

/** Creates an HTML element with attributes and children. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  set(element, attributes);
  fill(element, ...children);
  return element;
}

/** Creates a box whose children are below each other. */
export const stack = (...children: Child[]): HTMLDivElement => el('div', { class: 'stack' }, ...children);

/** Creates a paragraph of small text that explains something. */
export const hint = (...children: Child[]): HTMLParagraphElement => el('p', { class: 'hint' }, ...children);

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Creates an SVG element with attributes and children. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(svgNamespace, tag);
  set(element, attributes);
  fill(element, ...children);
  return element;
}

/** Sets attributes and listeners; false, null and undefined remove an attribute. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Replaces the children of an element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children
      .filter((c) => c !== false && c !== null && c !== undefined)
      .map((c) => (c instanceof Node ? c : String(c))),
  );
}

/**
 * Replaces the children of an element; the focus moves to the new element with the `data-key` of the focused
 * one.
 */
export function refill(element: Element, ...children: Child[]): void {
  const { activeElement } = document;
  const key =
    element.contains(activeElement) && activeElement instanceof HTMLElement && activeElement.dataset.key;
  fill(element, ...children);
  if (!key) return;
  const again = [...element.querySelectorAll<HTMLElement>('[data-key]')].find(
    ({ dataset }) => dataset.key === key,
  );
  again?.focus({ preventScroll: true });
}

/** Sets the text of an element; does not touch the DOM if the text is the same. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Returns the element with an id; throws if the page has none. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as E;
}

/**
 * Returns a function that schedules `draw` for the next animation frame; calls before that frame are merged.
 * Every panel draws through such a function, so the page draws at most once per frame however fast events
 * arrive.
 */
export function onFrame(draw: () => void): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw();
    });
  };
}

/** Calls `act` when an element first comes into the visible part of the page, or within `margin` of it. */
export function whenVisible(element: Element, act: () => void, margin = '0px'): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      act();
    },
    { rootMargin: margin },
  );
  observer.observe(element);
}
