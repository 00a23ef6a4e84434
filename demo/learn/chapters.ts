// The chapters: a short text and a picture of the numbers of the model, with something to change.

import { formatPercent } from '../../src/core/format-numbers.ts';
import type { Inspection } from '../../src/index.ts';
import { el, fill, setText, svg } from '../common/dom.ts';
import { field, numberInput, select } from '../common/form-controls.ts';
import { labelOf } from '../train/page/heat-map.ts';
import type { Session } from '../train/page/training-session.ts';
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
import { beamTree } from './beam-tree.ts';
import { dots, numberRow, rowOf, tensorOf, valuesOf } from './tensor-views.ts';

/** What a picture can ask of the page. */
export interface ChapterHost {
  readonly session: Pick<Session, 'inspect' | 'translate'>;
  readonly text: () => string;
  /** Computes the sentence again, for a given target. */
  compute(target?: readonly number[]): Promise<void>;
}

/** A chapter. */
export interface Chapter {
  /** Its address: the hash of the page. */
  readonly id: string;
  readonly title: string;
  /** Paragraphs, together at most 150 words. */
  readonly text: readonly string[];
  picture(inspection: Inspection, host: ChapterHost): HTMLElement;
}

/** A control with the part of the picture that it changes. */
function withControls(controls: readonly HTMLElement[], draw: (place: HTMLElement) => void): HTMLElement {
  const place = el('div', { class: 'stack', 'data-picture': '' });
  const row = el('div', { class: 'row controls' }, ...controls);
  row.addEventListener('input', () => draw(place));
  draw(place);
  return el('div', { class: 'stack' }, row, place);
}

const tokens: Chapter = {
  id: 'tokens',
  title: 'Tokens',
  text: [
    'A model reads numbers, not letters. A tokenizer cuts the text into tokens, words or pieces of words, and looks up the number of each in its vocabulary. Punctuation and digits are tokens too.',
    'Two tokens have no text: [start] opens what the decoder writes, and [end] closes both sides. Change the sentence above and press Compute: words that the vocabulary lacks become [UNK], and the model cannot know what they were.',
  ],
  picture: ({ source, target }) =>
    el(
      'div',
      { class: 'stack' },
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
            ...list.map(({ id, label }) =>
              el('li', {}, el('b', { dir: 'auto' }, labelOf(label)), el('span', { class: 'hint number' }, id)),
            ),
          ),
        ),
      ),
    ),
};

const embeddings: Chapter = {
  id: 'embeddings',
  title: 'Embeddings and positions',
  text: [
    'Each token number selects a row of a table: its embedding, a vector of D learned numbers, multiplied by √D. Tokens that are used alike get similar vectors.',
    'A transformer reads all tokens at once, so a vector must also say where its token stands. The models of this page add sines and cosines of the position, from fast waves to slow ones. The alternative is a learned table with a row for each position, as in BART: load one, and its rows are drawn here.',
    'The sum is what the first layer reads. Point at another token: its position vector changes even if the word is the same.',
  ],
  picture(inspection) {
    const embed = tensorOf(inspection, /^encoder\.embed\./);
    const { positions, learnedPositions = false } = inspection;
    const token = tokenPicker('Token', inspection.source);
    return withControls([token.element], (place) => {
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
            ]
          : [el('p', { class: 'hint' }, 'This model adds no positions here: they are a bias on the scores.')]),
        numberRow('= sum', sum),
      );
    });
  },
};

/** The first eight columns of the position vectors as curves, and the selected position. */
function waves(positions: Float32Array, width: number, length: number, at: number, learned: boolean): SVGSVGElement {
  const columns = Array.from({ length: Math.min(8, width) }, (_, c) => c);
  const drawn = columns.flatMap((c) => Array.from({ length }, (_, t) => Math.abs(positions[t * width + c] ?? 0)));
  const most = Math.max(1e-9, ...drawn);
  const y = (value: number) => 44 - (36 * value) / most;
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

const queries: Chapter = {
  id: 'queries',
  title: 'Queries, keys, values',
  text: [
    'Attention lets a token look at others. Three learned matrices make three vectors of each token: a query (what it looks for), a key (what it offers) and a value (what it passes on).',
    'Several heads do this side by side, each with its own narrow vectors of W numbers. A score is the product of a query with a key: it is large if they point the same way.',
    'Select a token and a head. The numbers are the columns of that head in the projection of the layer; the score below is their sum of products, divided by √W.',
  ],
  picture(inspection) {
    const { controls, map, head } = headControls(inspection, 'encoder');
    const from = tokenSelect(inspection.source);
    const to = tokenSelect(inspection.source, 1);
    return withControls([...controls, field('Query of', from), field('Key and value of', to)], (place) => {
      const parts = partsOf(inspection, map(), head());
      if (!parts) return fill(place, 'This model has no such tensor.');
      const { width } = parts;
      const [q, k, v] = [parts.query(Number(from.value)), parts.key(Number(to.value)), parts.value(Number(to.value))];
      const score = dots(q, k) / Math.sqrt(width);
      const computed = headOf(map(), map().scores ?? new Float32Array(), head())[
        Number(from.value) * map().keys + Number(to.value)
      ];
      fill(
        place,
        numberRow('Query', q),
        numberRow('Key', k),
        el(
          'p',
          { 'data-score': computed ?? Number.NaN },
          `q·k/√${width} = ${score.toFixed(3)}; the GPU computed ${(computed ?? 0).toFixed(3)}.`,
        ),
        numberRow('Value', v),
      );
    });
  },
};

const softmax: Chapter = {
  id: 'softmax',
  title: 'Scores, mask, softmax',
  text: [
    'The scores of a query become weights by softmax: each is exponentiated, then divided by the sum, so that a row sums to 1.',
    'The decoder must not see the tokens that it has yet to write. Their scores are hidden (set to minus infinity) before the softmax. If the weights were set to zero after it, the row would no longer sum to 1, and the hidden tokens would still have taken their share of the sum.',
    'Point at a token and raise the temperature: scores are divided by it before the softmax. Uncheck the mask to see what the future would have taken.',
  ],
  picture(inspection) {
    const { controls, map, head } = headControls(inspection, 'decoder');
    const query = tokenPicker('Query of', inspection.target, 2);
    const temperature = el('input', { type: 'range', min: 0.2, max: 4, step: 0.1, id: 'softmax-temperature' });
    temperature.value = '1';
    const mask = el('input', { type: 'checkbox', checked: true });
    const masked = el('label', { class: 'check' }, mask, 'Mask');
    const temperatureField = field('Temperature of the softmax', temperature);
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
          ['Key', 'Score', 'Hidden', 'Weight'],
          keys.map((key, j) => [
            labelOf(key),
            (scores[j] ?? 0).toFixed(2),
            j < seen ? '' : 'before the softmax',
            formatPercent((e[j] ?? 0) / total),
          ]),
        ),
        el('p', { class: 'hint' }, `The weights sum to ${(e.reduce((a, b) => a + b, 0) / total).toFixed(3)}.`),
      );
    });
  },
};

/** The map of a head, and the row of the token that is pointed at. */
function headPicture(inspection: Inspection, kind: 'encoder' | 'cross'): HTMLElement {
  const { controls, map, head } = headControls(inspection, kind);
  const query = tokenPicker('Row of', kind === 'encoder' ? inspection.source : inspection.target);
  return withControls([...controls, query.element], (place) =>
    fill(
      place,
      attentionRow(inspection, map(), head(), query.at()),
      heatOf(inspection, map(), headOf(map(), map().weights, head())),
    ),
  );
}

const heads: Chapter = {
  id: 'heads',
  title: 'Multi-head attention',
  text: [
    'One head can look at one thing. A layer has several: one may follow the previous token, another the start of the sentence, another a word of the same kind. Their outputs, weighted sums of values, are put side by side and mixed by a matrix.',
    'Nobody tells a head what to do; it finds its part while the model learns. Select a head, then point at a token, or use the arrow keys. The table has its row: products q·k (a row of QKᵀ), scores, weights, and the values times their weights. Their sum is what the head passes on.',
  ],
  picture(inspection) {
    return headPicture(inspection, 'encoder');
  },
};

const cross: Chapter = {
  id: 'cross',
  title: 'Cross-attention',
  text: [
    'The encoder has read the source; the decoder writes the target. Cross-attention connects them: the queries come from the target tokens, the keys and values from what the encoder made of the source.',
    'Row by row the map says where the decoder looks while it chooses the next token. In a trained model the weights follow the words that a token translates, also if their order differs. Nothing is hidden here: the whole source is known. Point at a token to see its row.',
    'Select a layer and a head. Often one head aligns clearly, while others look at the end of the sentence or at everything.',
  ],
  picture(inspection) {
    return headPicture(inspection, 'cross');
  },
};

const residual: Chapter = {
  id: 'residual',
  title: 'Residual, norm, feed-forward',
  text: [
    'A layer does not replace a token’s vector, it adds to it: x + f(x), the residual connection. So every layer can make a small correction, and gradients reach the first layer undiminished.',
    'Layer norm keeps the numbers in range: it subtracts the mean of a vector and divides by its standard deviation. The feed-forward network then works on each token by itself: it widens the vector, sets negative numbers to zero (ReLU), and narrows it again.',
    'Point at a token, select a layer: see how far each part moves the vector.',
  ],
  picture(inspection) {
    const layers = inspection.attention.filter(({ kind }) => kind === 'encoder').length;
    const layer = select(
      Array.from({ length: layers }, (_, i) => [String(i), String(i + 1)] as const),
      '0',
    );
    const token = tokenPicker('Token', inspection.source);
    return withControls([field('Encoder layer', layer), token.element], (place) => {
      const inLayer = inspection.tensors.filter(({ name }) => name.startsWith(`encoder.layers.${layer.value}.`));
      const t = token.at();
      fill(
        place,
        ...inLayer.map(({ name, shape, data }) => {
          const row = rowOf(data, shape[1] ?? 0, t);
          const length = Math.sqrt(dots(row, row));
          const short = name.replace(`encoder.layers.${layer.value}.`, '');
          return numberRow(`${stageName(short)}: length ${length.toFixed(2)}`, row);
        }),
      );
    });
  },
};

/** What a tensor of a layer is. */
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

const loss: Chapter = {
  id: 'loss',
  title: 'Teacher forcing and the loss',
  text: [
    'While the model learns, the decoder reads the right target, not its own guesses: teacher forcing. So all positions are predicted at once, each from the tokens before it.',
    'The loss of a position is the negative logarithm of the probability given to the right next token: 0 if it was certain, 0.69 at one half, large if it was surprised. Training lowers the mean over all positions.',
    'Write another target below and press Compute: a wrong word costs much where it stands, and changes what the model expects after it.',
  ],
  picture(inspection, { session, text }) {
    const written = el('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
    written.value = inspection.target
      .slice(1)
      .map(({ label }) => label)
      .join(' ');
    const place = el('div', { 'data-picture': '' });
    const show = ({ target, next, loss }: Inspection) =>
      fill(
        place,
        valuesOf(
          ['After', 'Right next token', 'Probability', 'Loss', 'Most likely'],
          target.map(({ label }, t) => [
            labelOf(label),
            labelOf(target[t + 1]?.label ?? '[end]'),
            formatPercent(Math.exp(-(loss[t] ?? 0))),
            (loss[t] ?? 0).toFixed(3),
            `${labelOf(next[t]?.[0]?.label ?? '')} ${formatPercent(next[t]?.[0]?.probability ?? 0)}`,
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
    return el(
      'div',
      { class: 'stack' },
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

const decoding: Chapter = {
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

/** The chapters in order; each has an address of its own. */
export const chapters: readonly Chapter[] = [
  tokens,
  embeddings,
  queries,
  softmax,
  heads,
  cross,
  residual,
  loss,
  decoding,
];
