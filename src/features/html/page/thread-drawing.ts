// The two sentences of a translation with their attention as threads: a curve between words, as thick as the weight.

/** Two sentences as words, and how much each word of the translation looks at each word of the source. */
export interface Threads {
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** [target words][source words]; each row sums to 1 or less. */
  readonly weights: readonly (readonly number[])[];
}

type Side = 'source' | 'target';

/** A thinner thread is not drawn, unless its word is selected. */
const minWeight = 0.12;
/** Width of a thread of weight 1, in pixels. */
const maxWidth = 9;

const svgSpace = 'http://www.w3.org/2000/svg';

/** The drawing in an element of the page. `describe` says which words a word is connected with. */
export class ThreadDrawing {
  readonly #place: HTMLElement;
  readonly #lines = document.createElementNS(svgSpace, 'svg');
  readonly #rows: Readonly<Record<Side, HTMLElement>>;
  readonly #readout = document.createElement('p');
  readonly #describe: (side: Side, word: string, others: string) => string;
  #shown: Threads = { source: [], target: [], weights: [] };
  #at: { readonly side: Side; readonly word: number } | undefined;

  constructor(
    place: HTMLElement,
    labels: Readonly<Record<Side, string>>,
    describe: (side: Side, word: string, others: string) => string,
  ) {
    this.#place = place;
    this.#describe = describe;
    const row = (side: Side) => {
      const element = document.createElement('div');
      element.className = `words ${side}`;
      element.role = 'group';
      element.ariaLabel = labels[side];
      return element;
    };
    this.#rows = { source: row('source'), target: row('target') };
    this.#lines.setAttribute('aria-hidden', 'true');
    this.#readout.className = 'readout';
    this.#readout.ariaLive = 'polite';
    place.append(this.#lines, this.#rows.source, this.#rows.target, this.#readout);
    new ResizeObserver(() => this.#draw()).observe(place);
  }

  show(threads: Threads): void {
    this.#shown = threads;
    this.#at = undefined;
    this.#place.hidden = threads.target.length === 0;
    for (const side of ['source', 'target'] as const)
      this.#rows[side].replaceChildren(...threads[side].map((word, i) => this.#button(side, word, i)));
    this.#draw();
  }

  #button(side: Side, text: string, word: number): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.dir = 'auto';
    button.onpointerenter = button.onfocus = button.onclick = () => this.#select({ side, word });
    button.onpointerleave = ({ pointerType }) => pointerType === 'mouse' && this.#select(undefined);
    return button;
  }
  #select(at: { readonly side: Side; readonly word: number } | undefined): void {
    this.#at = at;
    this.#draw();
  }
  #weight(source: number, target: number): number {
    return this.#shown.weights[target]?.[source] ?? 0;
  }
  #draw(): void {
    const box = this.#place.getBoundingClientRect();
    const places = (side: Side) => [...this.#rows[side].children].map((word) => word.getBoundingClientRect());
    const [from, to] = [places('source'), places('target')];
    const at = this.#at;
    const paths: SVGPathElement[] = [];
    for (const [t, b] of to.entries())
      for (const [s, a] of from.entries()) {
        const weight = this.#weight(s, t);
        const isOn = at !== undefined && at.word === (at.side === 'source' ? s : t);
        if (weight < (isOn ? 0.02 : minWeight)) continue;
        const [x1, y1] = [a.left + a.width / 2 - box.left, a.bottom - box.top];
        const [x2, y2] = [b.left + b.width / 2 - box.left, b.top - box.top];
        const bend = Math.max(24, (y2 - y1) / 2);
        const path = document.createElementNS(svgSpace, 'path');
        path.setAttribute('d', `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`);
        path.setAttribute('stroke-width', String(Math.max(1, maxWidth * weight)));
        path.setAttribute('stroke-opacity', String(isOn ? 0.95 : at ? 0.12 : 0.25 + 0.5 * weight));
        if (isOn) path.setAttribute('class', 'on');
        paths.push(path);
      }
    this.#lines.replaceChildren(...paths);
    this.#readout.textContent = at ? this.#tell(at.side, at.word) : '';
  }
  #tell(side: Side, word: number): string {
    const others = this.#shown[side === 'source' ? 'target' : 'source']
      .map((text, i) => ({ text, weight: side === 'source' ? this.#weight(word, i) : this.#weight(i, word) }))
      .filter(({ weight }) => weight > 0.02)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 3);
    const told = others.map(({ text, weight }) => `“${text}” ${Math.round(100 * weight)} %`).join(', ');
    return this.#describe(side, this.#shown[side][word] ?? '', told);
  }
}
