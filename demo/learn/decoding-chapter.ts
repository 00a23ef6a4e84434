// Chapter on decoding: likely next tokens, sampling, beam search.

import type { Inspection } from '../../src/index.ts';
import { probability as shownProbability } from '../common/data-views.ts';
import { el, fill, refill, setText, stack } from '../common/dom.ts';
import { field, markValid, numberInput } from '../common/form-controls.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { beamTree } from './beam-tree.ts';
import { type Chapter, sliderField } from './chapter.ts';
import { spacedLabel } from './tensor-views.ts';

export const decoding: Chapter = {
  id: 'decoding',
  title: 'Decoding word by word',
  text: [
    'To translate, the decoder starts with [start] and appends one token at a time. Greedy decoding takes the most likely one. Beam search keeps several hypotheses and returns the one with the best score. Sampling draws a token at random by its probability; a temperature below 1 makes likely tokens more likely, a temperature above 1 less.',
    'Click another token: the translation continues from there, as if the model had chosen it. The tree below shows the hypotheses of beam search, which share their first tokens, with the probability of each token and the score of each hypothesis.',
  ],
  picture(inspection, { session, text, compute, keep, attempt }) {
    const temperature = el('input', {
      type: 'range',
      min: 0.2,
      max: 3,
      step: 0.1,
      id: 'decoding-temperature',
    });
    temperature.value = '1';
    keep(temperature, 'decoding temperature');
    const seed = keep(numberInput(1, { min: 0, max: 1000, step: 1 }), 'seed');
    const sampled = el('output', { class: 'translation', dir: 'auto', id: 'sampled' });
    const beams = el('div', {
      class: 'scroll',
      id: 'beams',
      tabindex: 0,
      role: 'region',
      'aria-label': 'Beam tree',
    });
    const probabilities = el('div', { class: 'stack', 'data-picture': '' });
    const written = inspection.target.slice(1).map(({ id }) => id);
    const end = endOf(inspection);

    let shown = '';
    function showTokens({ next }: Inspection): void {
      const now = JSON.stringify(next);
      if (now === shown) return; // a button under the pointer stays
      shown = now;
      refill(
        probabilities,
        ...next.map((list, at) =>
          el(
            'div',
            { class: 'row choices' },
            el('span', { class: 'hint' }, `after ${labelOf(inspection.target[at]?.label ?? '')}`),
            ...list.map(({ probability, ...token }) =>
              el(
                'button',
                {
                  type: 'button',
                  'data-key': `${at} ${token.id}`,
                  'aria-pressed': String(token.id === (written[at] ?? end)),
                  onclick: () => attempt(continueFrom(written.slice(0, at), token.id)),
                },
                spacedLabel(token),
                el('span', { class: 'number hint' }, shownProbability(probability)),
              ),
            ),
          ),
        ),
      );
    }
    /** Appends a token to a start, and then the most likely ones until the end. */
    async function continueFrom(start: readonly number[], token: number): Promise<void> {
      const ids = [...start];
      for (
        let id: number | undefined = token;
        id !== undefined && id !== end && ids.length < start.length + 25;
      ) {
        ids.push(id);
        id = (await session.inspect(text(), { target: ids, likely: 1 })).next.at(-1)?.[0]?.id;
      }
      await compute(ids);
    }
    async function search(): Promise<void> {
      const found = await session.translate(text(), { method: 'beam', beams: 4, numReturn: 4 });
      const paths = [];
      for (const { ids, score } of found.candidates) {
        const target = ids.filter((id) => id !== end);
        paths.push({ ...(await session.inspect(text(), { target, likely: 1 })), score });
      }
      fill(beams, beamTree(paths));
    }
    /**
     * Shows the probabilities and a sample at the temperature; those of an earlier temperature are dropped.
     */
    async function applyTemperature(): Promise<void> {
      const [t, s] = [temperature.valueAsNumber, seed.valueAsNumber];
      const isShown = () => t === temperature.valueAsNumber && s === seed.valueAsNumber;
      if (!markValid(seed)) return;
      const found = await session.inspect(text(), { target: written, temperature: t });
      if (!isShown()) return;
      showTokens(found);
      const { text: drawn } = await session.translate(text(), { method: 'sample', temperature: t, seed: s });
      if (isShown()) setText(sampled, drawn);
    }
    for (const control of [temperature, seed])
      control.addEventListener('input', () => attempt(applyTemperature()));
    showTokens(inspection);
    attempt(search().then(applyTemperature));
    return stack(
      el(
        'div',
        { class: 'row controls' },
        sliderField('Temperature', temperature),
        field('Seed of the sample', seed),
      ),
      probabilities,
      el('h3', {}, 'A sample at this temperature'),
      sampled,
      el('h3', {}, 'Beam search with four beams'),
      beams,
    );
  },
};

/** The id of the end token: that of the last source token. */
const endOf = ({ source }: Inspection): number => source.at(-1)?.id ?? -1;
