// Chapters on the input of the model: tokens, embeddings and positions.

import { el, fill, hint, stack, svg } from '../common/dom.ts';
import { segmentedChoice } from '../common/form-controls.ts';
import { type DemoModel, demoModels, learnedPositionsModel } from '../train/page/demo-models.ts';
import { tokenPicker } from './attention-views.ts';
import { type Chapter, withControls } from './chapter.ts';
import { numberRow, rowOf, spacedLabel, tensorOf } from './tensor-views.ts';

/** A group of radio buttons with its title before it. */
const titled = (title: string, choice: HTMLElement): HTMLElement =>
  el('div', { class: 'pick' }, el('span', { class: 'label', 'aria-hidden': 'true' }, title), choice);

export const tokens: Chapter = {
  id: 'tokens',
  title: 'Tokens',
  text: [
    'A model reads numbers, not letters. A tokenizer cuts the text into tokens, words or pieces of words, and looks up the id of each in its vocabulary. Punctuation and digits are tokens too.',
    'Two tokens have no text: [start] begins the target, and [end] ends the source and the target. A token that begins a word has a space before it, shown as ␣. Change the sentence above and press Compute: words that the vocabulary lacks become [UNK], and the model does not know which words they were.',
  ],
  picture: ({ source, target }) =>
    stack(
      ...(
        [
          ['Source, read by the encoder', source],
          ['Target, read by the decoder', target],
        ] as const
      ).map(([name, list]) =>
        el(
          'div',
          {},
          el('h3', {}, name),
          el(
            'ol',
            { class: 'tokens' },
            ...list.map((token) =>
              el('li', {}, spacedLabel(token), el('span', { class: 'hint number' }, token.id)),
            ),
          ),
        ),
      ),
    ),
};

export const embeddings: Chapter = {
  id: 'embeddings',
  title: 'Embeddings and positions',
  text: [
    'Each token id selects a row of a table: its embedding, a vector of D learned numbers, multiplied by √D. Tokens that are used in similar ways get similar vectors.',
    'A transformer reads all tokens at once, so a vector must also contain the position of its token: the positional encoding. The models of this page add sines and cosines of the position, with high to low frequencies. BART instead learns a table with a row for each position: select Learned to load a model with such a table.',
    'The sum is what the first layer reads. Select another token: its position vector changes even if the word is the same.',
  ],
  picture(inspection, { use }) {
    const embed = tensorOf(inspection, /^encoder\.embed\./);
    const { positions, learnedPositions = false } = inspection;
    const token = tokenPicker('Token', inspection.source);
    const models = { sines: demoModels[0] as DemoModel, learned: learnedPositionsModel };
    const kind = segmentedChoice<keyof typeof models>(
      'Positions',
      [
        ['sines', 'Sines'],
        ['learned', 'Learned'],
      ],
      learnedPositions ? 'learned' : 'sines',
      (chosen) => void use(models[chosen]),
    );
    return withControls([titled('Positions', kind), token.element], (place) => {
      if (!embed) return fill(place, 'This model has no such tensor.');
      const t = token.at();
      const sum = rowOf(embed.data, embed.shape[1] ?? 0, t);
      const position = positions && rowOf(positions, sum.length, t);
      fill(
        place,
        ...(position
          ? [
              numberRow(
                'Embedding × √D',
                sum.map((x, i) => x - (position[i] ?? 0)),
              ),
              numberRow(learnedPositions ? '+ learned position' : '+ position', position),
              waves(positions, sum.length, inspection.source.length, t, learnedPositions),
              hint(
                'The first eight numbers of the position vectors, a curve for each, from the first token to the last.',
              ),
            ]
          : [hint('This model adds no positions here: they are a bias on the scores.')]),
        numberRow('= sum', sum),
      );
    });
  },
};

/** The first eight columns of the position vectors as curves, and the selected position. */
function waves(
  positions: Float32Array,
  width: number,
  length: number,
  at: number,
  learned: boolean,
): SVGSVGElement {
  const columns = Array.from({ length: Math.min(8, width) }, (_, c) => c);
  const drawn = columns.flatMap((c) =>
    Array.from({ length }, (_, t) => Math.abs(positions[t * width + c] ?? 0)),
  );
  const max = Math.max(1e-9, ...drawn);
  const y = (value: number) => 44 - (36 * value) / max;
  const path = (column: number) =>
    Array.from(
      { length },
      (_, t) => `${t === 0 ? 'M' : 'L'}${20 + t * 40} ${y(positions[t * width + column] ?? 0).toFixed(1)}`,
    ).join('');
  return svg(
    'svg',
    {
      class: 'waves',
      viewBox: `0 0 ${20 + length * 40} 88`,
      role: 'img',
      'aria-label': learned ? 'Learned positions' : 'Sines of the positions',
    },
    svg('line', { x1: 20 + at * 40, x2: 20 + at * 40, y1: 4, y2: 84, class: 'wave-at' }),
    ...columns.map((c) => svg('path', { d: path(c), class: `wave look${(c % 4) + 1}` })),
  );
}
