// The translate box: a sentence in, its translation token by token, and what each token looked at.

import { formatNumber } from '../../../src/core/format-numbers.ts';
import { el, fill, set, setText } from '../../common/dom.ts';
import { choice, field, markValid, numberInput } from '../../common/form-controls.ts';
import type { SentDecodeOptions, TranslationResult } from '../protocol.ts';
import { createHeatMap } from './heat-map.ts';
import { type Session, SessionError } from './training-session.ts';

/** The translate box. */
export interface TranslatePanel {
  readonly element: HTMLElement;
  /** A model to translate with is there, or is not. */
  ready(model: string): void;
  languages(source: string, target: string): void;
  /** Puts a sentence into the box, where nothing is typed yet. */
  suggest(text: string): void;
}

type Method = 'greedy' | 'beam' | 'sample';

/** Builds the box. */
export function createTranslatePanel(session: Session): TranslatePanel {
  let method: Method = 'greedy';
  let running: AbortController | undefined;
  let model = '';

  const text = el('textarea', {
    rows: 3,
    id: 'translate-text',
    placeholder: 'A sentence in the source language. Enter translates it.',
  });
  const beam = numberInput(4, { min: 1, max: 64, step: 1 });
  const penalty = numberInput(0.6, { min: 0, max: 5 });
  const temperature = numberInput(1, { min: 0.001, max: 1000 });
  const topK = numberInput(0, { min: 0, step: 1 });
  const topP = numberInput(1, { min: 0.001, max: 1 });
  const seed = numberInput(0, { min: 0, max: 2 ** 32 - 1, step: 1 });
  const beamFields = el('div', { class: 'thirds' }, field('Beams', beam), field('Length penalty', penalty));
  const sampleFields = el(
    'div',
    { class: 'thirds' },
    field('Temperature', temperature),
    field('Top k', topK, '0: all'),
    field('Top p', topP),
    field('Seed', seed),
  );
  const showFields = () => {
    set(beamFields, { hidden: method !== 'beam' });
    set(sampleFields, { hidden: method !== 'sample' });
  };
  const methods = choice<Method>(
    'How to decode',
    [
      ['greedy', 'Greedy'],
      ['beam', 'Beam'],
      ['sample', 'Sampling'],
    ],
    method,
    (value) => {
      method = value;
      showFields();
    },
  );
  showFields();

  const go = el('button', { type: 'submit', class: 'main', id: 'translate', disabled: true }, 'Translate');
  const cancel = el('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  const attend = el('input', { type: 'checkbox', checked: true });
  const out = el('output', { class: 'translation', id: 'translation', dir: 'auto', for: 'translate-text' });
  const note = el('p', { class: 'hint', role: 'status' }, 'There is no model yet: train one, or load one below.');
  const others = el('ol', { class: 'others', hidden: true });
  const heat = createHeatMap();
  const form = el(
    'form',
    { class: 'stack', novalidate: true },
    field('Text', text),
    methods,
    beamFields,
    sampleFields,
    el('div', { class: 'row' }, go, cancel, el('label', { class: 'check' }, attend, 'Show what each token looked at')),
  );

  const options = (): SentDecodeOptions => {
    if (method === 'beam')
      return {
        method,
        beams: beam.valueAsNumber,
        numReturn: Math.min(4, beam.valueAsNumber),
        lengthPenalty: penalty.valueAsNumber,
      };
    if (method === 'sample')
      return {
        method,
        temperature: temperature.valueAsNumber,
        topK: topK.valueAsNumber,
        topP: topP.valueAsNumber,
        seed: seed.valueAsNumber,
      };
    return { method };
  };
  const fieldsOf: Record<Method, HTMLInputElement[]> = {
    greedy: [],
    beam: [beam, penalty],
    sample: [temperature, topK, topP, seed],
  };

  async function translate(): Promise<void> {
    const wrong = fieldsOf[method].filter((control) => !markValid(control));
    if (wrong[0]) return wrong[0].focus();
    const source = text.value.trim();
    if (source === '') return text.focus();
    running?.abort();
    const mine = new AbortController();
    running = mine;
    set(cancel, { hidden: false });
    set(others, { hidden: true });
    heat.clear();
    fill(out, '');
    out.classList.add('running');
    set(note, { class: 'hint' });
    setText(note, 'Translating…');
    try {
      const result = await session.translate(source, options(), (piece) => out.append(piece.text), mine.signal);
      showResult(result);
      // The heat map is of the greedy translation, whatever was asked for above.
      if (attend.checked) heat.show(await session.align(source, mine.signal));
    } catch (error) {
      const { kind, message } = error as SessionError;
      if (running !== mine) return;
      setText(note, kind === 'aborted' ? 'Cancelled.' : message);
      set(note, { class: error instanceof SessionError && kind === 'aborted' ? 'hint' : 'wrong' });
    } finally {
      if (running === mine) {
        running = undefined;
        set(cancel, { hidden: true });
        out.classList.remove('running');
      }
    }
  }

  function showResult({ text: best, candidates, ms, tokens, model: name, step }: TranslationResult): void {
    out.classList.remove('running');
    setText(out, best);
    if (best === '') fill(out, el('span', { class: 'soft' }, '(nothing)'));
    const speed = ms > 0 ? `, ${formatNumber((1000 * tokens) / ms)} a second` : '';
    setText(
      note,
      `${tokens} tokens in ${formatNumber(ms)} ms${speed}, by ${name} at step ${step.toLocaleString('en')}` +
        (method !== 'greedy' && attend.checked ? '. What it looked at is that of the greedy translation.' : '.'),
    );
    set(others, { hidden: candidates.length < 2 });
    fill(
      others,
      ...candidates.map((c) =>
        el(
          'li',
          {},
          el('span', { dir: 'auto', lang: out.lang }, c.text),
          ' ',
          el('span', { class: 'hint number' }, c.score.toFixed(2).replace('-', '−')),
        ),
      ),
    );
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!go.disabled) void translate();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });

  return {
    element: el(
      'div',
      { class: 'translate' },
      form,
      el('div', { class: 'stack' }, el('h3', {}, 'Translation'), out, note, others),
      heat.element,
    ),
    ready(name) {
      if (name === model) return;
      if ((model === '') !== (name === '')) {
        setText(note, name ? `${name} is in use.` : 'There is no model yet: train one, or load one below.');
        set(note, { class: 'hint' });
      }
      model = name;
      set(go, { disabled: name === '' });
    },
    languages(source, target) {
      set(text, { lang: source });
      set(out, { lang: target });
    },
    suggest(sentence) {
      if (text.value === '') text.value = sentence;
    },
  };
}
