// The colours of the moving picture, which are those of the page in its theme.

/** Colours of the page, for a canvas. */
export interface Colours {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly card: string;
  readonly fill: string;
  readonly plus: string;
  readonly minus: string;
  readonly good: string;
  /** Of the heads, in turn. */
  readonly heads: readonly string[];
}

/** The colours at an element. */
export const coloursOf = (element: Element): Colours => {
  // A colour that depends on the theme is known only as a property of an element.
  const probe = document.createElement('span');
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    ink: read('ink'),
    soft: read('soft'),
    line: read('line'),
    card: read('card'),
    fill: read('fill'),
    plus: read('c1'),
    minus: read('c2'),
    good: read('good'),
    heads: ['c1', 'c2', 'c3', 'c4'].map(read),
  };
  probe.remove();
  return colours;
};
