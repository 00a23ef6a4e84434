// Chapter on decoding: likely next tokens, sampling, beam search.

import { formatPercent } from '../../src/core/format-numbers.ts';
import type { Inspection } from '../../src/index.ts';
import { el, fill, setText } from '../common/dom.ts';
import { field, numberInput } from '../common/form-controls.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { beamTree } from './beam-tree.ts';
import type { Chapter } from './chapter.ts';

export const decoding: Chapter = {
  id: 'decoding',
  title: 'Decoding word by word',
  text: [
    'To translate, the decoder starts with [start] and appends one token at a time. Greedy decoding takes the most likely one. Beam search keeps several hypotheses and ends with the one of the best score. Sampling draws by probability; a temperature below 1 makes it careful, above 1 bold.',
    'Press another token: the translation continues from there, as if the model had chosen it. The tree below has the beams of beam search, which share their first tokens, with the probability of each token and the score of each end.',
  ],
  picture(inspection, { session, text, compute }) {
    const temperature = el('input', { type: 'range', min: 0.2, max: 3, step: 0.1, id: 'decoding-temperature' });
    temperature.value = '1';
    const seed = numberInput(1, { min: 0, max: 1000, step: 1 });
    const sampled = el('output', { class: 'translation', dir: 'auto', id: 'sampled' });
    const beams = el('div', { class: 'scroll', id: 'beams', tabindex: 0, role: 'region', 'aria-label': 'Beam tree' });
    const probabilities = el('div', { class: 'stack', 'data-picture': '' });

    const showTokens = () => {
      const t = Number(temperature.value);
      fill(
        probabilities,
        ...inspection.next.map((list, at) => {
          // Softmax at another temperature of the listed tokens: p^(1/T), normalized.
          const powers = list.map(({ probability }) => probability ** (1 / t));
          const total = powers.reduce((a, b) => a + b, 0);
          return el(
            'div',
            { class: 'row choices' },
            el('span', { class: 'hint' }, `after ${labelOf(inspection.target[at]?.label ?? '')}`),
            ...list.map(({ id, label }, i) =>
              el(
                'button',
                {
                  type: 'button',
                  'aria-pressed': String(id === inspection.target[at + 1]?.id),
                  onclick: () => void continueFrom([...inspection.target.slice(1, at + 1).map((x) => x.id), id]),
                },
                `${labelOf(label)} `,
                el('span', { class: 'number hint' }, formatPercent((powers[i] ?? 0) / total)),
              ),
            ),
          );
        }),
      );
    };
    /** Appends the most likely token until the end, from a given start. */
    async function continueFrom(start: readonly number[]): Promise<void> {
      let ids = [...start];
      for (let n = 0; n < 24; n++) {
        const next = (await session.inspect(text(), { target: ids, likely: 1 })).next.at(-1)?.[0];
        if (!next || next.label === '[end]') break;
        ids = [...ids, next.id];
      }
      await compute(ids.filter((id) => id !== endOf(inspection)));
    }
    async function search(): Promise<void> {
      const found = await session.translate(text(), { method: 'beam', beams: 4, numReturn: 4 });
      const paths = [];
      for (const { ids, score } of found.candidates) {
        const target = ids.filter((id) => id !== endOf(inspection));
        paths.push({ ...(await session.inspect(text(), { target, likely: 1 })), score });
      }
      fill(beams, beamTree(paths));
    }
    async function sample(): Promise<void> {
      const options = { method: 'sample', temperature: Number(temperature.value), seed: seed.valueAsNumber } as const;
      setText(sampled, (await session.translate(text(), options)).text);
    }
    temperature.addEventListener('input', () => {
      showTokens();
      void sample();
    });
    seed.addEventListener('input', () => void sample());
    showTokens();
    void search().then(sample);
    return el(
      'div',
      { class: 'stack' },
      el('div', { class: 'row controls' }, field('Temperature', temperature), field('Seed of the sample', seed)),
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
