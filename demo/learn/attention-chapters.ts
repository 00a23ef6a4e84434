// Chapters on attention: queries, keys and values; scores, mask and softmax; heads; cross-attention.

import type { Inspection } from '../../src/index.ts';
import { probability, signed } from '../common/data-views.ts';
import { el, fill, hint } from '../common/dom.ts';
import { field } from '../common/form-controls.ts';
import { labelOf } from '../train/page/heat-map.ts';
import {
  attentionRow,
  headControls,
  headOf,
  heatOf,
  partsOf,
  sidesOf,
  tokenPicker,
  tokenSelect,
} from './attention-views.ts';
import { type Chapter, type ChapterHost, sliderField, withControls } from './chapter.ts';
import { dots, numberRow, rowOf, valuesOf } from './tensor-views.ts';

export const queries: Chapter = {
  id: 'queries',
  title: 'Queries, keys, values',
  text: [
    'Attention lets a token look at others. Three learned matrices make three vectors of each token: a query (what it looks for), a key (what it offers) and a value (what it passes on).',
    'Several heads do this in parallel, each with its own narrow vectors of W numbers. A score is the product of a query with a key: it is large if they point the same way.',
    'Select a token and a head. The numbers are the columns of that head in the projection of the layer; the score below is their sum of products, divided by √W.',
  ],
  picture(inspection, host) {
    const { controls, map, head } = headControls(inspection, 'encoder', host);
    const from = tokenSelect(inspection.source);
    const to = tokenSelect(inspection.source, 1);
    return withControls([...controls, field('Query of', from), field('Key and value of', to)], (place) => {
      const parts = partsOf(inspection, map(), head());
      if (!parts) return fill(place, 'This model has no such tensor.');
      const { width } = parts;
      const [q, k, v] = [
        parts.query(Number(from.value)),
        parts.key(Number(to.value)),
        parts.value(Number(to.value)),
      ];
      const score = dots(q, k) / Math.sqrt(width);
      const computed = headOf(map(), map().scores ?? new Float32Array(), head())[
        Number(from.value) * map().keys + Number(to.value)
      ];
      fill(
        place,
        numberRow('Query', q, width),
        numberRow('Key', k, width),
        el(
          'p',
          { 'data-score': computed ?? Number.NaN },
          `q·k/√${width} = ${score.toFixed(3)}; the GPU computed ${(computed ?? 0).toFixed(3)}.`,
        ),
        numberRow('Value', v, width),
      );
    });
  },
};

export const softmax: Chapter = {
  id: 'softmax',
  title: 'Scores, mask, softmax',
  text: [
    'The scores of a query become weights by softmax: each is exponentiated, then divided by the sum, so that a row sums to 1.',
    'The decoder must not see the tokens that it has not written yet. Their scores are masked (set to minus infinity) before the softmax. If their weights were set to zero after the softmax, the row would no longer sum to 1.',
    'Select a token and raise the temperature: scores are divided by it before the softmax. Uncheck the mask to see the weights that the future tokens would get.',
  ],
  picture(inspection, host) {
    const { controls, map, head } = headControls(inspection, 'decoder', host);
    const query = tokenPicker('Query of', inspection.target, 2);
    const temperature = el('input', {
      type: 'range',
      min: 0.2,
      max: 4,
      step: 0.1,
      id: 'softmax-temperature',
    });
    temperature.value = '1';
    host.keep(temperature, 'softmax temperature');
    const mask = host.keep(el('input', { type: 'checkbox', checked: true }), 'mask');
    const masked = el('label', { class: 'check' }, mask, 'Mask');
    const temperatureField = sliderField('Temperature', temperature);
    return withControls([...controls, temperatureField, masked, query.element], (place) => {
      const i = query.at();
      const scores = rowOf(headOf(map(), map().scores ?? new Float32Array(), head()), map().keys, i);
      const seen = mask.checked ? i + 1 : scores.length;
      const e = scores.map((s, j) => (j < seen ? Math.exp(s / Number(temperature.value)) : 0));
      const total = e.reduce((a, b) => a + b, 0);
      const { keys } = sidesOf(inspection, 'decoder');
      fill(
        place,
        valuesOf(
          ['Key', 'Score', 'Into the softmax', 'Weight'],
          keys.map((key, j) => [
            labelOf(key),
            signed(scores[j] ?? 0),
            j < seen ? signed((scores[j] ?? 0) / Number(temperature.value)) : '−∞',
            probability((e[j] ?? 0) / total),
          ]),
        ),
        hint(`The weights sum to ${(e.reduce((a, b) => a + b, 0) / total).toFixed(3)}.`),
      );
    });
  },
};

/** The map of a head, and the row of the token that is pointed at. */
function headPicture(inspection: Inspection, kind: 'encoder' | 'cross', host: ChapterHost): HTMLElement {
  const { controls, map, head } = headControls(inspection, kind, host);
  const query = tokenPicker('Row of', kind === 'encoder' ? inspection.source : inspection.target);
  return withControls([...controls, query.element], (place) =>
    fill(
      place,
      attentionRow(inspection, map(), head(), query.at()),
      heatOf(inspection, map(), head(), query.at()),
    ),
  );
}

export const heads: Chapter = {
  id: 'heads',
  title: 'Multi-head attention',
  text: [
    'One head can look at one thing. A layer has several: one may follow the previous token, another the start of the sentence, another a word of the same kind. Their outputs, weighted sums of values, are concatenated and multiplied by a matrix.',
    'Nobody tells a head what to do; what it does comes from training. Select a head, then point at or select a token. The table has its row: products q·k (a row of QKᵀ), scores, weights, and the values times their weights. Their sum is what the head passes on.',
  ],
  picture: (inspection, host) => headPicture(inspection, 'encoder', host),
};

export const cross: Chapter = {
  id: 'cross',
  title: 'Cross-attention',
  text: [
    'The encoder has read the source; the decoder writes the target. Cross-attention connects them: the queries come from the target tokens, the keys and values from the output of the encoder.',
    'Row by row the map says where the decoder looks while it chooses the next token. In a trained model the weights follow the words that a token translates, also if their order differs. There is no mask here: the whole source is known. Select a token to see its row.',
    'Select a layer and a head. Often one head aligns clearly, while others look at the end of the sentence or at everything.',
  ],
  picture: (inspection, host) => headPicture(inspection, 'cross', host),
};
