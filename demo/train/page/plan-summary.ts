// What a training would take, said before it starts: parameters, GPU memory by what it is for, work of a step, and whether it fits.

import { formatBytes, formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import { el, svg } from '../../common/dom.ts';
import type { TrainingFacts } from '../protocol.ts';

/** Above this, cards that lack it are common; WebGPU tells no page how much a card has. */
const much = 4 * 2 ** 30;

/** What to say of a plan of so many bytes beside the number; empty where that is enough. */
export const memoryHint = (peak: number): string =>
  peak > much
    ? `Only your card knows whether it has ${formatBytes(peak)} free: where it has not, the training ends with a message. A smaller batch takes less.`
    : '';

/** The facts of a plan, for the panel below the recipe. */
export function planFacts(facts: TrainingFacts): HTMLElement[] {
  const { planned, config, shapes } = facts;
  const rows: [string, string][] = [
    ['parameters', formatInteger(facts.parameters)],
    ['layers', `${config.encoderLayers} + ${config.decoderLayers}, ${config.dModel} wide, ${config.heads} heads`],
    ['steps', `${formatInteger(facts.steps)}, ${formatInteger(facts.stepsPerEpoch)} an epoch`],
    ['batches', shapes.join(', ').replaceAll('x', ' × ')],
    ['a step', `${formatNumber(facts.flops / 1e9)} GFLOP in ${formatInteger(facts.dispatches)} dispatches`],
    ['GPU memory', formatBytes(planned.peak)],
  ];
  const parts: [string, number, string][] = [
    ['weights, gradients, moments', planned.states, 'look1'],
    ['intermediate results', planned.slots, 'look2'],
    ['batches', planned.inputs, 'look3'],
  ];
  const sum = Math.max(
    1,
    parts.reduce((n, [, size]) => n + size, 0),
  );
  let at = 0;
  const bars = parts.map(([, size, look]) => {
    const width = (100 * size) / sum;
    const bar = svg('rect', { class: look, x: at, y: 0, width: Math.max(0, width - 0.4), height: 8 });
    at += width;
    return bar;
  });
  return [
    ...(facts.fits ? [] : [el('p', { class: 'wrong', 'data-fits': 'false' }, facts.why)]),
    el('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    el(
      'div',
      {},
      svg(
        'svg',
        { class: 'memory', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        ...bars,
      ),
      el(
        'ul',
        { class: 'keys' },
        ...parts.map(([name, size, look]) =>
          el(
            'li',
            {},
            el('i', { class: `swatch ${look}` }),
            `${name} `,
            el('b', { class: 'number' }, formatBytes(size)),
          ),
        ),
      ),
    ),
    ...(facts.fits && memoryHint(planned.peak) ? [el('p', { class: 'hint' }, memoryHint(planned.peak))] : []),
    ...(facts.software
      ? [
          el(
            'p',
            { class: 'hint' },
            `${facts.adapter} is a software adapter: it computes on the processor, and a training takes very long. Take the tiny model and few steps.`,
          ),
        ]
      : []),
  ];
}
