// The roofline: what each kernel does a second against what it does for each byte, both logarithmic, under the adapter's roofs. The
// table below it has the same numbers for those who cannot see it.

import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { KernelResult, VariantResult } from '../../src/bench/check-kernel.ts';
import { type KernelGroup, kernelGroups } from '../../src/bench/kernel-case.ts';
import { formatNumber, formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/gpu/roofs.ts';
import { logAxis } from '../../src/report/axis.ts';
import { el, fill, set, setText, svg } from '../common/dom.ts';
import { peerNames } from './lab-protocol.ts';
import { counted } from './measurement-text.ts';

/** Names of the groups, and the mark of each: told apart by form as well as by colour. */
export const groups: Readonly<Record<KernelGroup, { readonly name: string; readonly mark: string }>> = {
  products: { name: 'products', mark: 'M-5-5H5V5H-5Z' },
  attention: { name: 'attention', mark: 'M0-6.500 6-0 0 6.500-6 0Z' },
  rows: { name: 'rows and tokens', mark: 'M5 0A5 5 0 1 1-5 0 5 5 0 1 1 5 0Z' },
  elements: { name: 'elements and updates', mark: 'M0-6 6 5H-6Z' },
  decoding: { name: 'decoding', mark: 'M0 6-6-5H6Z' },
};

/** Those that are timed beside one another, by their contestant's name: strokes rather than faces. */
const libraries: readonly { contestant: string; look: string; name: string; mark: string }[] = [
  { contestant: 'heddle', look: 'library-heddle', name: 'heddle, beside its peers', mark: 'M0-6V6M-6 0H6' },
  { contestant: 'tfjs', look: 'library-tfjs', name: peerNames.tfjs, mark: 'M-5-5 5 5M-5 5 5-5' },
  { contestant: 'jax-js', look: 'library-jax', name: peerNames.jax, mark: 'M-5 0A5 5 0 1 1 5 0 5 5 0 1 1-5 0Z' },
];

/** A place on the chart. */
interface Place {
  /** The kernel's name, and what else there is to say of the place. */
  readonly name: string;
  readonly also: string;
  /** Class and form of the mark. */
  readonly look: string;
  readonly mark: string;
  /** Whether it is what is meant where its kernel is pointed at. */
  readonly best: boolean;
  readonly intensity: number;
  readonly rate: number;
}

/** What is drawn. */
export interface Shown {
  readonly kernels: readonly KernelResult[];
  readonly peers: readonly TimedKernel[];
  readonly roofs: Roofs | undefined;
  readonly all: boolean;
}

/** What the page tells the chart. */
export interface Roofline {
  readonly element: HTMLElement;
  /** Draws kernels, of each its fastest variant or all, and those of peers, under roofs where these are known. */
  show(shown: Shown): void;
  /** Marks a kernel, or none. */
  point(name: string | undefined): void;
}

/** The highest rate that the roofs allow at an intensity, in GFLOP/s. */
export const roofAt = ({ bandwidth, peak }: Roofs, intensity: number): number =>
  Math.min(peak.rate, bandwidth.rate * intensity);

/** GFLOP/s of a variant, 0 where it was not timed or does no arithmetic. */
export const rateOf = (kernel: KernelResult, { ms }: VariantResult): number => (ms ? kernel.flops / ms / 1e6 : 0);

/** The chart, empty. */
export function createRoofline(onPoint: (name: string | undefined) => void): Roofline {
  const plot = svg('svg', { class: 'plot', role: 'img' });
  const readout = el('p', { class: 'hint readout' });
  const legend = el('ul', { class: 'legend' });
  const element = el('div', { class: 'roofline' }, legend, plot, readout);
  let places: (Place & { x: number; y: number })[] = [];
  let shown: Shown | undefined;
  let pointed: string | undefined;

  const idle = () =>
    places.length === 0
      ? 'Nothing is measured yet. A kernel far to the left waits for memory, one to the right for arithmetic; the nearer to the roof, the better.'
      : missing(shown?.kernels ?? []);

  const mark = (place: (typeof places)[number] | undefined) => {
    pointed = place?.name;
    for (const node of plot.querySelectorAll('.place'))
      node.classList.toggle('pointed', pointed !== undefined && node.getAttribute('data-kernel') === pointed);
    setText(readout, place ? describe(place, shown?.roofs) : idle());
  };

  const draw = () => {
    if (!shown) return;
    const width = Math.max(280, element.clientWidth || 900);
    const height = width < 560 ? 320 : 430;
    places = drawInto(plot, shown, width, height);
    const looks = [...kernelGroups.map((g) => ({ look: `group-${g}`, ...groups[g] })), ...libraries];
    fill(
      legend,
      ...looks
        .filter(({ look }) => places.some((p) => p.look === look))
        .map(({ look, name, mark: d }) =>
          el(
            'li',
            {},
            svg(
              'svg',
              { viewBox: '-8 -8 16 16', width: 14, height: 14, class: look, 'aria-hidden': 'true' },
              svg('path', { d }),
            ),
            name,
          ),
        ),
    );
    mark(places.find((p) => p.best && p.name === pointed));
  };

  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let near: (typeof places)[number] | undefined;
    let distance = 28;
    for (const place of places) {
      const d = Math.hypot(place.x - x, place.y - y);
      if (d < distance) [near, distance] = [place, d];
    }
    if (near?.name === pointed && near?.best) return;
    mark(near);
    onPoint(near?.name);
  });
  plot.addEventListener('pointerleave', () => {
    mark(undefined);
    onPoint(undefined);
  });
  new ResizeObserver(draw).observe(element);
  setText(readout, idle());
  return {
    element,
    show(given) {
      shown = given;
      draw();
    },
    point: (name) => mark(places.find((p) => p.best && p.name === name)),
  };
}

function missing(kernels: readonly KernelResult[]): string {
  const none = kernels.filter((k) => k.flops === 0).length;
  const alone =
    none > 0
      ? ` ${counted(none, 'kernel')} without arithmetic ${none === 1 ? 'stands' : 'stand'} in the table alone.`
      : '';
  return `Point at a kernel to read its numbers. What fits in a cache may pass the slope.${alone}`;
}

function describe({ name, also, intensity, rate }: Place, roofs: Roofs | undefined): string {
  const share = roofs ? `, ${formatPercent(rate / roofAt(roofs, intensity))} of the roof` : '';
  return `${name}${also && ` (${also})`}: ${formatNumber(rate)} GFLOP/s at ${formatNumber(intensity)} FLOP a byte${share}`;
}

function placesOf({ kernels, peers, all }: Shown): Place[] {
  const own = kernels.flatMap((kernel) =>
    kernel.variants
      .filter((variant, i) => (all || i === 0) && rateOf(kernel, variant) > 0)
      .map((variant): Place => {
        const best = variant === kernel.variants[0];
        return {
          name: kernel.name,
          also: variant.variant === 'only' ? '' : variant.variant,
          look: `group-${kernel.group}`,
          mark: groups[kernel.group].mark,
          best,
          intensity: kernel.flops / kernel.bytes,
          rate: rateOf(kernel, variant),
        };
      }),
  );
  const beside = peers
    .filter(({ flops }) => flops > 0)
    .flatMap(({ name, flops, bytes, forms }) =>
      libraries.flatMap(({ contestant, look, name: library, mark }): Place[] => {
        const us = Math.min(...forms.filter((f) => f.contestant === contestant).map((f) => f.us));
        if (!Number.isFinite(us)) return [];
        const best = contestant === 'heddle';
        return [{ name, also: library, look, mark, best, intensity: flops / bytes, rate: flops / us / 1e3 }];
      }),
    );
  return [...own, ...beside];
}

function drawInto(plot: SVGSVGElement, shown: Shown, width: number, height: number) {
  const { roofs } = shown;
  const found = placesOf(shown);
  const edge = { left: 46, right: 14, top: 14, bottom: 44 };
  const intensities = found.map((p) => p.intensity);
  const rates = found.map((p) => p.rate);
  const ridge = roofs ? roofs.peak.rate / roofs.bandwidth.rate : 1;
  const lowX = Math.min(0.1, ridge / 4, ...intensities.map((x) => x / 1.6));
  const highX = Math.max(10, ridge * 6, ...intensities.map((x) => x * 1.6));
  const top = roofs?.peak.rate ?? 1;
  const across = logAxis(lowX, highX);
  const up = logAxis(
    Math.min(top / 200, ...rates.map((r) => r / 1.6)),
    Math.max(top * 1.7, ...rates.map((r) => r * 1.6)),
  );
  const x = (value: number) => edge.left + across.at(value) * (width - edge.left - edge.right);
  const y = (value: number) => height - edge.bottom - up.at(value) * (height - edge.top - edge.bottom);
  const [left, right, bottom] = [edge.left, width - edge.right, height - edge.bottom];
  const label = `Roofline of ${found.length} ${found.length === 1 ? 'place' : 'places'}: GFLOP/s against FLOP a byte; the table of kernels has the numbers.`;
  set(plot, { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-label': label });
  const each = width < 560 ? 2 : 1;
  const grid = [
    ...across.ticks
      .filter((_, i) => i % each === 0)
      .flatMap((t) => [
        svg('line', { class: 'grid', x1: x(t), x2: x(t), y1: edge.top, y2: bottom }),
        svg('text', { class: 'tick', x: x(t), y: bottom + 17, 'text-anchor': 'middle' }, plain(t)),
      ]),
    ...up.ticks.flatMap((t) => [
      svg('line', { class: 'grid', x1: left, x2: right, y1: y(t), y2: y(t) }),
      svg('text', { class: 'tick', x: left - 7, y: y(t) + 4, 'text-anchor': 'end' }, plain(t)),
    ]),
    svg('text', { class: 'axis', x: right, y: height - 6, 'text-anchor': 'end' }, 'FLOP a byte'),
    svg('text', { class: 'axis', x: left + 6, y: edge.top + 6 }, 'GFLOP/s'),
  ];
  const marks = found
    .map((p) => ({ ...p, x: x(p.intensity), y: y(p.rate) }))
    .sort((a, b) => Number(a.best) - Number(b.best));
  fill(
    plot,
    svg('g', { 'aria-hidden': 'true' }, ...grid),
    roofs ? roofLines(roofs, { x, y, left, right, bottom }, width < 560) : null,
    ...marks.map((p) =>
      svg('path', {
        class: `place ${p.look}${isSlower(p) ? ' slower' : ''}`,
        'data-kernel': p.name,
        d: p.mark,
        transform: `translate(${p.x.toFixed(1)} ${p.y.toFixed(1)})${isSlower(p) ? ' scale(0.7)' : ''}`,
      }),
    ),
  );
  return marks;
}

/** A variant of heddle's own that is not its fastest. */
const isSlower = ({ best, look }: Place): boolean => !best && look.startsWith('group-');

const plain = (t: number): string =>
  t >= 1e4 || t < 1e-3 ? t.toExponential(0).replace('e+', 'e').replace('e-', 'e−') : String(t);

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

/** The sloped and the level roof, each with its number. */
function roofLines({ bandwidth, peak }: Roofs, { x, y, left, right, bottom }: Frame, narrow: boolean): SVGGElement {
  const ridge = peak.rate / bandwidth.rate;
  const level = y(peak.rate);
  // The slope is the same everywhere: where it enters the frame follows from two of its points.
  const slope = (y(bandwidth.rate * ridge) - y((bandwidth.rate * ridge) / 10)) / (x(ridge) - x(ridge / 10));
  const atLeft = level - slope * (x(ridge) - left);
  const start = atLeft > bottom ? [x(ridge) - (level - bottom) / slope, bottom] : [left, atLeft];
  const angle = (Math.atan(slope) * 180) / Math.PI;
  const share = 0.45;
  const middle = [
    (start[0] as number) * (1 - share) + x(ridge) * share,
    (start[1] as number) * (1 - share) + level * share,
  ] as const;
  const place = (n: number) => n.toFixed(1);
  return svg(
    'g',
    { class: 'roofs' },
    svg('path', {
      class: 'roof',
      d: `M${start.map(place).join(' ')}L${place(x(ridge))} ${place(level)}H${place(right)}`,
    }),
    svg(
      'text',
      {
        class: 'roof-name',
        'text-anchor': 'middle',
        transform: `translate(${place(middle[0])} ${place(middle[1] - 9)}) rotate(${place(angle)})`,
      },
      narrow ? `${formatNumber(bandwidth.rate)} GB/s` : `copies ${formatNumber(bandwidth.rate)} GB/s`,
    ),
    svg(
      'text',
      { class: 'roof-name', x: right - 4, y: level - 9, 'text-anchor': 'end' },
      narrow ? `${formatNumber(peak.rate)} GFLOP/s` : `multiply-adds ${formatNumber(peak.rate)} GFLOP/s`,
    ),
  );
}
