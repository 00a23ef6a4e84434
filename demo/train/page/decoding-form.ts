// Form of the decoding options: greedy, beam search or sampling, with the fields of each.

import { field, markValid, segmentedChoice } from '../../common/form-fields.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { SentDecodeOptions } from '../protocol.ts';

type Method = 'greedy' | 'beam' | 'sample';

/** A number of a method: its option, label, default and limits. */
interface NumberField {
  readonly name: keyof SentDecodeOptions;
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max?: number;
  readonly step?: number;
  readonly hint?: string;
}

const fields: Record<Method, readonly NumberField[]> = {
  greedy: [],
  beam: [
    { name: 'beams', label: say`Beams`, value: 4, min: 1, max: 64, step: 1 },
    {
      name: 'lengthPenalty',
      label: say`Length penalty`,
      value: 0.6,
      min: 0,
      max: 5,
      hint: say`Scores are divided by ((5 + length) / 6) to this power: larger values prefer longer translations; 0: off`,
    },
  ],
  sample: [
    { name: 'temperature', label: say`Temperature`, value: 1, min: 0.001, max: 1000 },
    { name: 'topK', label: say`Top k`, value: 0, min: 0, step: 1, hint: say`0: no limit` },
    { name: 'topP', label: say`Top p`, value: 1, min: 0.001, max: 1 },
    { name: 'seed', label: say`Seed`, value: 0, min: 0, max: 2 ** 32 - 1, step: 1 },
  ],
};

const methods: readonly (readonly [Method, string])[] = [
  ['greedy', say`Greedy`],
  ['beam', say`Beam search`],
  ['sample', say`Sampling`],
];

/** The form. */
export class DecodingForm extends Panel {
  #method: Method = 'greedy';

  constructor() {
    super();
    this.draw();
  }

  /** The options of the selected method. */
  options(): SentDecodeOptions {
    const method = this.#method;
    const numbers = fields[method].map(({ name }) => [name, this.#input(name).valueAsNumber] as const);
    const options: SentDecodeOptions = { method, ...Object.fromEntries(numbers) };
    return method === 'beam' ? { ...options, numReturn: Math.min(4, options.beams ?? 1) } : options;
  }

  /** Returns the first invalid field of the selected method, and marks all invalid fields. */
  firstInvalid(): HTMLInputElement | undefined {
    return fields[this.#method].map(({ name }) => this.#input(name)).filter((input) => !markValid(input))[0];
  }

  #input(name: string): HTMLInputElement {
    return this.find(`#decoding-${name}`);
  }

  #select(method: Method): void {
    this.#method = method;
    this.draw();
  }

  protected override template(): Content {
    return html`
      ${segmentedChoice({
        name: 'decoding-method',
        legend: say`Decoding method`,
        options: methods,
        selected: this.#method,
        onChange: (method) => this.#select(method),
      })}
      ${(['beam', 'sample'] as const).map(
        (method) => html`
          <div class="thirds" ?hidden=${method !== this.#method}>${fields[method].map(numberField)}</div>`,
      )}`;
  }
}

/** A number field; lit leaves its value to the visitor. */
function numberField({ name, label, value, min, max, step, hint }: NumberField): Content {
  const id = `decoding-${name}`;
  const input = html`<input
    id=${id}
    type="number"
    inputmode="decimal"
    required
    value=${value}
    min=${min}
    max=${max ?? nothing}
    step=${step ?? 'any'}
    aria-describedby=${hint ? `${id}-hint` : nothing}
  />`;
  return field(id, label, input, hint);
}
