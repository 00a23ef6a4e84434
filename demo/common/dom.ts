// Helpers for elements of the page: found by id, drawn on the next frame or when they are visible, with the focus kept.

/** Calls `draw`, which replaces the elements in a place, and keeps the focus: that of the element with the same `data-key`. */
export function keepFocus(place: HTMLElement, draw: () => void): void {
  const { activeElement } = document;
  const key =
    place.contains(activeElement) && activeElement instanceof HTMLElement && activeElement.dataset.key;
  draw();
  if (!key || place.contains(document.activeElement)) return;
  const again = [...place.querySelectorAll<HTMLElement>('[data-key]')].find(
    ({ dataset }) => dataset.key === key,
  );
  again?.focus({ preventScroll: true });
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

let ids = 0;

/** Returns an id that is unique in the page. */
export const freshId = (stem: string): string => `${stem}-${++ids}`;
