// Chapters on the rest of a layer, and on the loss: residual connections, norm, feed-forward; teacher
// forcing.

import type { Inspection } from '../../src/index.ts';
import { probability } from '../common/data-views.ts';
import { el, fill, setText, stack } from '../common/dom.ts';
import { field, select } from '../common/form-controls.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { tokenPicker } from './attention-views.ts';
import { type Chapter, withControls } from './chapter.ts';
import { dots, numberRow, rowOf, tensorOf, valuesOf } from './tensor-views.ts';

export const residual: Chapter = {
  id: 'residual',
  title: 'Residual, norm, feed-forward',
  text: [
    'A layer does not replace a token’s vector, it adds to it: x + f(x), the residual connection. So each layer makes a small change, and gradients reach the first layer without shrinking.',
    'Layer norm keeps the numbers in range: it subtracts the mean of a vector and divides by its standard deviation. The feed-forward network then works on each token separately: it widens the vector, sets negative numbers to zero (ReLU), and narrows it again.',
    'Select a token and a layer: see how far each part moves the vector x that the layer reads.',
  ],
  picture(inspection, { keep }) {
    const layers = inspection.attention.filter(({ kind }) => kind === 'encoder').length;
    const numbers = Array.from({ length: layers }, (_, i) => [String(i), String(i + 1)] as const);
    const layer = keep(select(numbers, '0'), 'residual layer');
    const token = tokenPicker('Token', inspection.source);
    return withControls([field('Encoder layer', layer), token.element], (place) => {
      const inLayer = inspection.tensors.filter(({ name }) =>
        name.startsWith(`encoder.layers.${layer.value}.`),
      );
      const before =
        inspection.tensors.findLast(({ name }) =>
          name.startsWith(`encoder.layers.${Number(layer.value) - 1}.`),
        ) ?? tensorOf(inspection, /^encoder\.embed\./);
      const t = token.at();
      fill(
        place,
        ...[...(before ? [before] : []), ...inLayer].map((tensor) => {
          const { name, shape, data } = tensor;
          const row = rowOf(data, shape[1] ?? 0, t);
          const length = Math.sqrt(dots(row, row));
          const stage =
            tensor === before ? 'x' : stageName(name.replace(`encoder.layers.${layer.value}.`, ''));
          return numberRow(`${stage}: length ${length.toFixed(2)}`, row);
        }),
      );
    });
  },
};

/** A table whose second and last columns are tokens. */
const losses: typeof valuesOf = (head, rows) => el('div', { class: 'losses' }, valuesOf(head, rows));

/** A token in a cell: its direction does not move the numbers beside it. */
const named = (label: string): HTMLElement => el('bdi', {}, labelOf(label));

/** Name of a tensor in a layer for readers. */
function stageName(name: string): string {
  const stages: readonly (readonly [RegExp, string])[] = [
    [/^norm\d?\.layer_norm/, 'Layer norm'],
    [/^self_attn\.linear$/, 'Queries, keys and values'],
    [/^self_attn\.self_attention/, 'Weighted values of the heads'],
    [/^self_attn\.linear/, 'Output of the attention'],
    [/^linear1\.activation|^linear1\.relu/, 'Feed-forward, after the activation'],
    [/^linear1/, 'Feed-forward, widened'],
    [/^linear2/, 'Feed-forward, narrowed'],
    [/^add/, 'x + f(x)'],
  ];
  return stages.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

export const loss: Chapter = {
  id: 'loss',
  title: 'Teacher forcing and the loss',
  text: [
    'While the model learns, the decoder reads the correct target, not its own output. This is called teacher forcing. So all positions are predicted at once, each from the tokens before it.',
    'The loss of a position is the negative logarithm of the probability of the correct next token: 0 if the probability is 1, 0.69 if it is one half, and large if it is small. Training lowers the mean over all positions.',
    'Write another target below and press Compute: a wrong word has a large loss at its position, and changes what the model expects after it.',
  ],
  picture(inspection, { session, text }) {
    const written = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', dir: 'auto' });
    written.value = inspection.targetText;
    const place = el('div', { class: 'stack', 'data-picture': '' });
    const show = ({ target, next, loss }: Inspection) =>
      fill(
        place,
        losses(
          ['After', 'Correct token', 'Probability', 'Loss', 'Most likely'],
          target.map(({ label }, t) => [
            named(label),
            named(target[t + 1]?.label ?? '[end]'),
            probability(Math.exp(-(loss[t] ?? 0))),
            (loss[t] ?? 0).toFixed(3),
            el(
              'span',
              {},
              named(next[t]?.[0]?.label ?? ''),
              ` ${probability(next[t]?.[0]?.probability ?? 0)}`,
            ),
          ]),
        ),
        el(
          'p',
          {},
          `Mean loss ${(loss.reduce((a, b) => a + b, 0) / loss.length).toFixed(3)} over ${loss.length} positions.`,
        ),
      );
    show(inspection);
    const onsubmit = (event: SubmitEvent) => {
      event.preventDefault();
      void session
        .inspect(text(), { target: written.value })
        .then(show, (error: Error) => setText(place, error.message));
    };
    return stack(
      el(
        'form',
        { class: 'sentence', onsubmit },
        field('Target', written),
        el('button', { type: 'submit' }, 'Compute'),
      ),
      place,
    );
  },
};
