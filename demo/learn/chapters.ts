// The chapters: a short text and a picture of the numbers of the model, with something to change.

import { formatPercent } from '../../src/core/format-numbers.ts';
import type { AttentionMap, Inspection } from '../../src/index.ts';
import { el, fill, setText, svg } from '../common/dom.ts';
import { field, numberInput, select } from '../common/form-controls.ts';
import { createHeatMap, labelOf } from '../train/page/heat-map.ts';
import type { Session } from '../train/page/training-session.ts';
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

const tokenSelect = (tokens: readonly { readonly label: string }[], at = 0): HTMLSelectElement =>
  select(
    tokens.map(({ label }, i) => [String(i), `${i + 1}: ${labelOf(label)}`] as const),
    String(Math.min(at, tokens.length - 1)),
  );

/** Controls that select one head of one kind of attention. */
function headControls(inspection: Inspection, kind: AttentionMap['kind']) {
  const layers = inspection.attention.filter((map) => map.kind === kind);
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => [String(i), String(i + 1)] as const);
  const layer = select(numbers(layers.length), String(layers.length - 1));
  const head = select(numbers(layers[0]?.heads ?? 1), '0');
  return {
    controls: [field('Layer', layer), field('Head', head)],
    map: () => layers[Number(layer.value)] as AttentionMap,
    layer: () => Number(layer.value),
    head: () => Number(head.value),
  };
}

/** Labels of the tokens that a kind of attention attends from and to. */
const sidesOf = ({ source, target }: Inspection, kind: AttentionMap['kind']) => {
  const labels = (tokens: typeof source) => tokens.map(({ label }) => label);
  return {
    queries: labels(kind === 'encoder' ? source : target),
    keys: labels(kind === 'decoder' ? target : source),
  };
};

const headOf = ({ queries, keys }: AttentionMap, all: Float32Array, head: number): Float32Array =>
  all.slice(head * queries * keys, (head + 1) * queries * keys);

/** A table of a row of attention: key, score, weight, and what the mask does. */
function rowTable(inspection: Inspection, map: AttentionMap, head: number, query: number): HTMLElement {
  const { keys } = sidesOf(inspection, map.kind);
  const scores = rowOf(headOf(map, map.scores ?? new Float32Array(), head), map.keys, query);
  const weights = rowOf(headOf(map, map.weights, head), map.keys, query);
  return valuesOf(
    ['Key', 'Score q·k/√W', 'Weight (softmax)'],
    keys.map((key, j) => [
      labelOf(key),
      map.kind === 'decoder' && j > query ? `hidden (${(scores[j] ?? 0).toFixed(2)})` : (scores[j] ?? 0).toFixed(2),
      formatPercent(weights[j] ?? 0),
    ]),
  );
}

function heatOf(inspection: Inspection, map: AttentionMap, weights: Float32Array): HTMLElement {
  const heat = createHeatMap();
  const { queries, keys } = sidesOf(inspection, map.kind);
  heat.show({ source: keys, target: queries, layers: 1, heads: 1, weights });
  return heat.element;
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
    'A transformer reads all tokens at once, so a vector must also say where its token stands. This model adds sines and cosines of the position, from fast waves to slow ones. An alternative is a second learned table with a row for each position, as in BART.',
    'The sum is what the first layer reads. Select another token: its position vector changes even if the word is the same.',
  ],
  picture(inspection) {
    const embed = tensorOf(inspection, /^encoder\.embed\./);
    const { positions } = inspection;
    const token = tokenSelect(inspection.source);
    return withControls([field('Token', token)], (place) => {
      if (!embed) return fill(place, 'This model has no such tensor.');
      const t = Number(token.value);
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
              numberRow('+ position', position),
              waves(positions, sum.length, inspection.source.length, t),
            ]
          : [el('p', { class: 'hint' }, 'The positions of this model are learned, and part of the sum.')]),
        numberRow('= sum', sum),
      );
    });
  },
};

/** The first eight columns of the position vectors as curves, and the selected position. */
function waves(positions: Float32Array, width: number, length: number, at: number): SVGSVGElement {
  const columns = Array.from({ length: Math.min(8, width) }, (_, c) => c);
  const y = (value: number) => 44 - 36 * value;
  const path = (column: number) =>
    Array.from(
      { length },
      (_, t) => `${t === 0 ? 'M' : 'L'}${20 + t * 40} ${y(positions[t * width + column] ?? 0).toFixed(1)}`,
    ).join('');
  return svg(
    'svg',
    { class: 'waves', viewBox: `0 0 ${20 + length * 40} 88`, role: 'img', 'aria-label': 'Sines of the positions' },
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
    const { controls, map, head, layer } = headControls(inspection, 'encoder');
    const from = tokenSelect(inspection.source);
    const to = tokenSelect(inspection.source, 1);
    return withControls([...controls, field('Query of', from), field('Key and value of', to)], (place) => {
      const qkv = tensorOf(inspection, new RegExp(`^encoder\\.layers\\.${layer()}\\.self_attn\\.linear$`));
      if (!qkv) return fill(place, 'This model has no such tensor.');
      const columns = qkv.shape[1] ?? 0;
      const width = columns / 3 / map().heads;
      const part = (row: number, which: number) =>
        rowOf(qkv.data, columns, row)
          .slice(which * (columns / 3) + head() * width)
          .slice(0, width);
      const [q, k, v] = [part(Number(from.value), 0), part(Number(to.value), 1), part(Number(to.value), 2)];
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
    'Select a token and raise the temperature: scores are divided by it before the softmax. Uncheck the mask to see what the future would have taken.',
  ],
  picture(inspection) {
    const { controls, map, head } = headControls(inspection, 'decoder');
    const query = tokenSelect(inspection.target, 2);
    const temperature = el('input', { type: 'range', min: 0.2, max: 4, step: 0.1, id: 'softmax-temperature' });
    temperature.value = '1';
    const mask = el('input', { type: 'checkbox', checked: true });
    const masked = el('label', { class: 'check' }, mask, 'Mask');
    const temperatureField = field('Temperature of the softmax', temperature);
    return withControls([...controls, field('Query', query), temperatureField, masked], (place) => {
      const i = Number(query.value);
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

const heads: Chapter = {
  id: 'heads',
  title: 'Multi-head attention',
  text: [
    'One head can look at one thing. A layer has several: one may follow the previous token, another the start of the sentence, another a word of the same kind. Their outputs, weighted sums of values, are put side by side and mixed by a matrix.',
    'Nobody tells a head what to do; it finds its part while the model learns. Select a head, then move over its map or use the arrow keys. The table has the row of the selected token: scores, and the weights with which its values are added.',
  ],
  picture(inspection) {
    const { controls, map, head } = headControls(inspection, 'encoder');
    const query = tokenSelect(inspection.source);
    return withControls([...controls, field('Row of', query)], (place) =>
      fill(
        place,
        heatOf(inspection, map(), headOf(map(), map().weights, head())),
        rowTable(inspection, map(), head(), Number(query.value)),
      ),
    );
  },
};

const cross: Chapter = {
  id: 'cross',
  title: 'Cross-attention',
  text: [
    'The encoder has read the source; the decoder writes the target. Cross-attention connects them: the queries come from the target tokens, the keys and values from what the encoder made of the source.',
    'Row by row the map says where the decoder looks while it chooses the next token. In a trained model the weights follow the words that a token translates, also if their order differs. Nothing is hidden here: the whole source is known.',
    'Select a layer and a head. Often one head aligns clearly, while others look at the end of the sentence or at everything.',
  ],
  picture(inspection) {
    const { controls, map, head } = headControls(inspection, 'cross');
    const query = tokenSelect(inspection.target);
    return withControls([...controls, field('Row of', query)], (place) =>
      fill(
        place,
        heatOf(inspection, map(), headOf(map(), map().weights, head())),
        rowTable(inspection, map(), head(), Number(query.value)),
      ),
    );
  },
};

const residual: Chapter = {
  id: 'residual',
  title: 'Residual, norm, feed-forward',
  text: [
    'A layer does not replace a token’s vector, it adds to it: x + f(x), the residual connection. So every layer can make a small correction, and gradients reach the first layer undiminished.',
    'Layer norm keeps the numbers in range: it subtracts the mean of a vector and divides by its standard deviation. The feed-forward network then works on each token by itself: it widens the vector, sets negative numbers to zero (ReLU), and narrows it again.',
    'Select a token and a layer: see how far each part moves the vector.',
  ],
  picture(inspection) {
    const layers = inspection.attention.filter(({ kind }) => kind === 'encoder').length;
    const layer = select(
      Array.from({ length: layers }, (_, i) => [String(i), String(i + 1)] as const),
      '0',
    );
    const token = tokenSelect(inspection.source);
    return withControls([field('Encoder layer', layer), field('Token', token)], (place) => {
      const inLayer = inspection.tensors.filter(({ name }) => name.startsWith(`encoder.layers.${layer.value}.`));
      const t = Number(token.value);
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
    'Press another token: the translation continues from there, as if the model had chosen it. The list below has the beams, the best first.',
  ],
  picture(inspection, { session, text, compute }) {
    const temperature = el('input', { type: 'range', min: 0.2, max: 3, step: 0.1, id: 'decoding-temperature' });
    temperature.value = '1';
    const seed = numberInput(1, { min: 0, max: 1000, step: 1 });
    const sampled = el('output', { class: 'translation', dir: 'auto', id: 'sampled' });
    const beams = el('ol', { class: 'others', id: 'beams' });
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
      fill(
        beams,
        ...found.candidates.map((c) =>
          el(
            'li',
            {},
            el('span', { dir: 'auto' }, c.text),
            ' ',
            el('span', { class: 'hint number' }, c.score.toFixed(2)),
          ),
        ),
      );
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
