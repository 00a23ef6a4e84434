// Panel that translates a text: streams the translation, lists the hypotheses and shows the cross-attention.

import { formatNumber } from '../../../src/core/format-numbers.ts';
import { el, fill, set, setText } from '../../common/dom.ts';
import { field, markValid, numberInput, segmentedChoice } from '../../common/form-controls.ts';
import type { SentDecodeOptions, TranslationResult } from '../protocol.ts';
import { createHeatMap } from './heat-map.ts';
import { type Session, SessionError } from './training-session.ts';

/** The translate panel. */
export interface TranslatePanel {
  readonly element: HTMLElement;
  /** Sets the name of the model that is loaded; empty if there is none. */
  setModel(model: string): void;
  /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void;
  /** Fills in a sentence if the visitor has entered none. */
  suggest(text: string): void;
}

type Method = 'greedy' | 'beam' | 'sample';

/** Creates the panel. */
export function createTranslatePanel(session: Session): TranslatePanel {
  let method: Method = 'greedy';
  let running: AbortController | undefined;
  let model = '';

  const text = el('textarea', {
    rows: 3,
    id: 'translate-text',
    placeholder: 'Text in the source language. Press Enter to translate.',
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
    field('Top k', topK, '0: no limit'),
    field('Top p', topP),
    field('Seed', seed),
  );
  const showFields = () => {
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
    (value) => {
      method = value;
      showFields();
    },
  );
  showFields();

  const submit = el('button', { type: 'submit', class: 'main', id: 'translate', disabled: true }, 'Translate');
  const cancel = el('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  const showAttention = el('input', { type: 'checkbox', checked: true });
  const out = el('output', { class: 'translation', id: 'translation', dir: 'auto', for: 'translate-text' });
  const note = el('p', { class: 'hint', role: 'status' }, 'No model is loaded. Train one, or load one below.');
  const alternatives = el('ol', { class: 'others', hidden: true });
  const heat = createHeatMap();
  const form = el(
    'form',
    { class: 'stack', novalidate: true },
    field('Text', text),
    methods,
    beamFields,
    sampleFields,
    el('div', { class: 'row' }, submit, cancel, el('label', { class: 'check' }, showAttention, 'Show attention')),
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
    const invalid = fieldsOf[method].filter((control) => !markValid(control));
    if (invalid[0]) return invalid[0].focus();
    const source = text.value.trim();
    if (source === '') return text.focus();
    running?.abort();
    const controller = new AbortController();
    running = controller;
    set(cancel, { hidden: false });
    set(alternatives, { hidden: true });
    heat.clear();
    fill(out, '');
    out.classList.add('running');
    set(note, { class: 'hint' });
    setText(note, 'Translating…');
    try {
      const result = await session.translate(source, options(), (piece) => out.append(piece.text), controller.signal);
      showResult(result);
      // The heat map always shows the greedy translation.
      if (showAttention.checked) heat.show(await session.attention(source, controller.signal));
    } catch (error) {
      const { kind, message } = error as SessionError;
      if (running !== controller) return;
      setText(note, kind === 'aborted' ? 'Cancelled.' : message);
      set(note, { class: error instanceof SessionError && kind === 'aborted' ? 'hint' : 'wrong' });
    } finally {
      if (running === controller) {
        running = undefined;
        set(cancel, { hidden: true });
        out.classList.remove('running');
      }
    }
  }

  function showResult({ text: best, candidates, ms, tokens, model: name, step }: TranslationResult): void {
    out.classList.remove('running');
    setText(out, best);
    if (best === '') fill(out, el('span', { class: 'soft' }, '(empty)'));
    const speed = ms > 0 ? `, ${formatNumber((1000 * tokens) / ms)} tokens/s` : '';
    setText(
      note,
      `${tokens} tokens in ${formatNumber(ms)} ms${speed} · ${name}, step ${step.toLocaleString('en')}` +
        (method !== 'greedy' && showAttention.checked ? '. The attention is that of the greedy translation.' : ''),
    );
    set(alternatives, { hidden: candidates.length < 2 });
    fill(
      alternatives,
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
    if (!submit.disabled) void translate();
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
      el('div', { class: 'stack' }, el('h3', {}, 'Translation'), out, note, alternatives),
      heat.element,
    ),
    setModel(name) {
      if (name === model) return;
      if ((model === '') !== (name === '')) {
        setText(note, name ? `${name} is loaded.` : 'No model is loaded. Train one, or load one below.');
        set(note, { class: 'hint' });
      }
      model = name;
      set(submit, { disabled: name === '' });
    },
    /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
    setLanguages(source, target) {
      set(text, { lang: source });
      set(out, { lang: target });
    },
    suggest(sentence) {
      if (text.value === '') text.value = sentence;
    },
  };
}
