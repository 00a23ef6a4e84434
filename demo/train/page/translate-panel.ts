// Panel that translates a text: selects a model that ships with the page, streams the translation, lists the
// hypotheses and shows the cross-attention of the selected one.

import { formatNumber } from '../../../src/core/format-numbers.ts';
import { signed } from '../../common/data-views.ts';
import { el, fill, set, setText, stack } from '../../common/dom.ts';
import { field } from '../../common/form-controls.ts';
import type { SentDecodeOptions, TranslationCandidate, TranslationResult } from '../protocol.ts';
import { createDecodingForm } from './decoding-form.ts';
import { type DemoModel, demoModels } from './demo-models.ts';
import type { GalleryModel } from './gallery-models.ts';
import { createHeatMap } from './heat-map.ts';
import { createLanguageFields } from './language-fields.ts';
import { type Session, SessionError } from './training-session.ts';

/** The translate panel. */
export interface TranslatePanel {
  readonly element: HTMLElement;
  /** Sets the name of the model that is loaded; empty if there is none. */
  setModel(model: string): void;
  /** Follows a model that was renamed, or deleted (`as` is empty), if it is the one that is loaded. */
  renameModel(name: string, as: string): void;
  /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void;
  /** Fills in a sentence, unless the visitor has entered one. */
  suggest(text: string): void;
  /** Loads a model that ships with the page, and translates its first example. */
  useDemo(model: DemoModel): Promise<void>;
  /** Loads a model of the gallery that is stored under `name`, and translates its example. */
  useStored(model: GalleryModel, name: string): Promise<void>;
  /** While a training runs, its model translates. */
  setTraining(training: boolean): void;
}

/** Creates the panel. */
export function createTranslatePanel(session: Session): TranslatePanel {
  let running: AbortController | undefined;
  let model = '';
  /** Text that the page has filled in; the first key in the field replaces it. */
  let suggested = '';
  let demo: DemoModel | undefined;

  const text = el('textarea', {
    rows: 3,
    id: 'translate-text',
    placeholder: 'Text in the source language. Press Enter to translate.',
  });
  const decoding = createDecodingForm();
  const submit = el(
    'button',
    { type: 'submit', class: 'main', id: 'translate', disabled: true },
    'Translate',
  );
  const cancel = el('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  const languages = createLanguageFields((source, target) => setLanguages(source, target));
  const showAttention = el('input', { type: 'checkbox', checked: true });
  const out = el('output', { class: 'translation', id: 'translation', dir: 'auto', for: 'translate-text' });
  const note = el(
    'p',
    { class: 'hint', role: 'status' },
    'No model is loaded. Train one, or load one below.',
  );
  const alternatives = el('ol', { class: 'others', hidden: true });
  const examples = el('ul', { class: 'try', 'aria-label': 'Examples' });
  const picker = el(
    'div',
    { class: 'row picker', role: 'group', 'aria-label': 'Model' },
    ...demoModels.map((each) =>
      el(
        'button',
        { type: 'button', 'data-demo': each.target, onclick: () => void useDemo(each) },
        each.name,
      ),
    ),
  );
  const loaded = el('span', { class: 'tag', hidden: true });
  picker.append(loaded, el('a', { href: '#gallery-card', class: 'push' }, 'More models'));
  const heat = createHeatMap();
  const form = el(
    'form',
    { class: 'stack', novalidate: true },
    languages.element,
    field('Text', text),
    decoding.element,
    el(
      'div',
      { class: 'row' },
      submit,
      cancel,
      el('label', { class: 'check' }, showAttention, 'Show attention'),
    ),
  );

  const options = (): SentDecodeOptions => ({
    ...decoding.options(),
    ...languages.read(),
    attention: showAttention.checked,
  });

  async function translate(): Promise<void> {
    const invalid = decoding.firstInvalid();
    if (invalid) return invalid.focus();
    const source = text.value.trim();
    if (source === '') return text.focus();
    running?.abort();
    const controller = new AbortController();
    running = controller;
    set(cancel, { hidden: false });
    showNothing();
    out.classList.add('running');
    set(note, { class: 'hint' });
    setText(note, 'Translating…');
    try {
      const result = await session.translate(
        source,
        options(),
        (piece) => out.append(piece.text),
        controller.signal,
      );
      if (running === controller) showResult(result);
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
    const speed = ms > 0 ? `, ${formatNumber((1000 * tokens) / ms)} tokens/s` : '';
    const at = step > 0 ? `, step ${step.toLocaleString('en')}` : '';
    setText(note, `${tokens} tokens in ${formatNumber(ms)} ms${speed} · ${name}${at}`);
    set(alternatives, { hidden: candidates.length < 2 });
    const choices = candidates.map((candidate, i) =>
      el(
        'button',
        { type: 'button', class: 'quiet', onclick: () => showCandidate(candidate, i, choices) },
        el('span', { dir: 'auto', lang: out.lang }, candidate.text || '(empty)'),
        ' ',
        el('span', { class: 'hint number' }, signed(candidate.score)),
      ),
    );
    fill(alternatives, ...choices.map((choice) => el('li', {}, choice)));
    const [first] = candidates;
    if (first) showCandidate(first, 0, choices);
    else setText(out, best);
    if (best === '') fill(out, el('span', { class: 'soft' }, '(empty)'));
  }
  /** Shows one of the translations with the attention of its own tokens. */
  function showCandidate(
    { text: translation, attention }: TranslationCandidate,
    index: number,
    choices: readonly HTMLButtonElement[],
  ): void {
    setText(out, translation);
    for (const [i, choice] of choices.entries()) set(choice, { 'aria-pressed': String(i === index) });
    if (attention) heat.show(attention);
    else heat.clear();
  }

  /** Removes the translation of another model. */
  function showNothing(): void {
    set(alternatives, { hidden: true });
    heat.clear();
    fill(out, '');
  }
  /** Fills in a text that the visitor's first key replaces. */
  function fillIn(sentence: string): void {
    text.value = suggested = sentence;
  }
  function showExamples(): void {
    fill(
      examples,
      ...(demo?.examples ?? []).map(([sentence, translation]) =>
        el(
          'li',
          {},
          el(
            'button',
            {
              type: 'button',
              class: 'quiet',
              onclick() {
                fillIn(sentence);
                if (!submit.disabled) void translate();
              },
            },
            el('span', { lang: demo?.source }, sentence),
            el('span', { class: 'soft', 'aria-hidden': 'true' }, '→'),
            el('span', { lang: demo?.target, dir: 'auto', class: 'soft' }, translation),
          ),
        ),
      ),
    );
    set(examples, { hidden: !demo });
    for (const button of picker.querySelectorAll('button'))
      set(button, { 'aria-pressed': String(button.dataset.demo === demo?.target) });
    set(loaded, { hidden: demo !== undefined || model === '' });
    setText(loaded, model);
  }
  async function useDemo(chosen: DemoModel): Promise<void> {
    running?.abort();
    demo = chosen;
    model = '';
    setLanguages(chosen.source, chosen.target);
    showExamples();
    set(submit, { disabled: true });
    showNothing();
    set(note, { class: 'hint' });
    setText(note, `Loading ${chosen.name}…`);
    try {
      await session.load(chosen.name, { url: chosen.url, step: chosen.step });
    } catch (error) {
      if (demo !== chosen) return;
      setText(note, (error as Error).message);
      set(note, { class: 'wrong' });
      return;
    }
    if (demo !== chosen) return;
    model = chosen.name;
    languages.offer(undefined);
    set(submit, { disabled: false });
    if (text.value === suggested) fillIn(chosen.examples[0]?.[0] ?? '');
    await translate();
  }
  function setLanguages(source: string, target: string): void {
    set(text, { lang: source });
    set(out, { lang: target });
  }
  /** Shows the languages of the loaded model. */
  async function findLanguages(): Promise<void> {
    const requested = model;
    const found = requested ? await session.languages().catch(() => undefined) : undefined;
    if (model === requested) languages.offer(found);
  }
  text.addEventListener('focus', () => {
    if (text.value === suggested) text.select();
  });
  showExamples();

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!submit.disabled) void translate();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });

  const panel: TranslatePanel = {
    element: stack(
      picker,
      examples,
      el(
        'div',
        { class: 'translate' },
        form,
        stack(el('h3', {}, 'Translation'), out, note, alternatives),
        heat.element,
      ),
    ),
    setModel(name) {
      if (name === model) return;
      if (name === '') running?.abort();
      demo = undefined;
      model = name;
      showNothing();
      setText(note, name ? `${name} is loaded.` : 'No model is loaded. Train one, or load one below.');
      set(note, { class: 'hint' });
      set(submit, { disabled: name === '' });
      showExamples();
      void findLanguages();
    },
    renameModel(name, as) {
      if (name !== model || demo) return;
      if (as === '') return panel.setModel('');
      model = as;
      setText(loaded, as);
    },
    setLanguages,
    suggest(sentence) {
      if (text.value === suggested && document.activeElement !== text) fillIn(sentence);
    },
    useDemo,
    async useStored({ example, languages }, name) {
      panel.setModel('');
      setText(note, `Loading ${name}…`);
      await session.load(name, undefined, languages);
      panel.setModel(name);
      fillIn(example);
      await translate();
    },
    setTraining(training) {
      for (const button of picker.querySelectorAll('button')) set(button, { disabled: training });
    },
  };
  return panel;
}
