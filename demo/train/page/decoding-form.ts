// Form of the decoding options: greedy, beam search or sampling, with the fields of each.

import { el, set, stack } from '../../common/dom.ts';
import { field, markValid, numberInput, segmentedChoice } from '../../common/form-controls.ts';
import type { SentDecodeOptions } from '../protocol.ts';

/** The form. */
export interface DecodingForm {
  readonly element: HTMLElement;
  /** The options of the selected method. */
  options(): SentDecodeOptions;
  /** Returns the first invalid field of the selected method, and marks all invalid fields. */
  firstInvalid(): HTMLInputElement | undefined;
}

type Method = 'greedy' | 'beam' | 'sample';

/** Creates the form. */
export function createDecodingForm(): DecodingForm {
  let method: Method = 'greedy';
  const beams = numberInput(4, { min: 1, max: 64, step: 1 });
  const lengthPenalty = numberInput(0.6, { min: 0, max: 5 });
  const temperature = numberInput(1, { min: 0.001, max: 1000 });
  const topK = numberInput(0, { min: 0, step: 1 });
  const topP = numberInput(1, { min: 0.001, max: 1 });
  const seed = numberInput(0, { min: 0, max: 2 ** 32 - 1, step: 1 });
  const inputs: Record<Method, Readonly<Record<string, HTMLInputElement>>> = {
    greedy: {},
    beam: { beams, lengthPenalty },
    sample: { temperature, topK, topP, seed },
  };
  const beamFields = el(
    'div',
    { class: 'thirds' },
    field('Beams', beams),
    field(
      'Length penalty',
      lengthPenalty,
      'alpha of ((5 + length) / 6)^alpha, the divisor of scores; 0: none',
    ),
  );
  const sampleFields = el(
    'div',
    { class: 'thirds' },
    field('Temperature', temperature),
    field('Top k', topK, '0: no limit'),
    field('Top p', topP),
    field('Seed', seed),
  );
  const select = (next: Method) => {
    method = next;
    set(beamFields, { hidden: method !== 'beam' });
    set(sampleFields, { hidden: method !== 'sample' });
  };
  const methods = segmentedChoice<Method>(
    'Decoding method',
    [
      ['greedy', 'Greedy'],
      ['beam', 'Beam search'],
      ['sample', 'Sampling'],
    ],
    method,
    select,
  );
  select(method);
  return {
    element: stack(methods, beamFields, sampleFields),
    options: () => ({
      method,
      ...Object.fromEntries(
        Object.entries(inputs[method]).map(([name, input]) => [name, input.valueAsNumber]),
      ),
      ...(method === 'beam' && { numReturn: Math.min(4, beams.valueAsNumber) }),
    }),
    firstInvalid: () => Object.values(inputs[method]).filter((input) => !markValid(input))[0],
  };
}
