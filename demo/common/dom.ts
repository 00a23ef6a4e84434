// Elements in one call each. Text always goes in as text, never as markup, so that no corpus or file can bring elements of its own.

/** What may stand inside an element; `false`, null and undefined stand for nothing. */
export type Child = Node | string | number | false | null | undefined;

/** Attributes by name. `class` and `aria-*` as in HTML; true for one that is there without a value; listeners as `onclick`. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: never) => void)>
>;

/** An element with attributes and children. */
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

const svgSpace = 'http://www.w3.org/2000/svg';

/** An element of SVG with attributes and children. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(svgSpace, tag);
  set(element, attributes);
  fill(element, ...children);
  return element;
}

/** Sets attributes and listeners; false, null and undefined take an attribute away. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Puts children in the place of what was there. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(
    ...children
      .filter((c) => c !== false && c !== null && c !== undefined)
      .map((c) => (c instanceof Node ? c : String(c))),
  );
}

/** Sets an element's text, and touches the page only where it differs. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The element of the page with an id; throws where there is none, since the page and its script belong together. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as E;
}

/**
 * A function that asks for `draw` at the next frame; calls before it are one. All that training tells goes through such functions, so
 * that the page draws at most once a frame however fast messages come.
 */
export function onFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
