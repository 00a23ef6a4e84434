// Terms of machine learning on the pages: each with a sentence in place, and a link to the chapter that explains it.

import { say, translated } from './page-texts.ts';
import { type Content, html } from './panel.ts';

/** The terms: a sentence, and the id of the chapter of the page Learn. */
const terms = {
  loss: [
    say`How surprised the model is by the correct tokens: the mean of −log p of each; 0 if it is sure of all of them.`,
    'loss',
  ],
  dev: [
    say`Pairs that are held out: the model is not trained on them, so they show what it does with new sentences.`,
    'measuring',
  ],
  BLEU: [
    say`From 0 to 100: the share of runs of one to four words of the translations that are in the references too.`,
    'measuring',
  ],
  chrF: [
    say`From 0 to 100: how many runs of one to six characters translations and references share; kinder to endings than BLEU.`,
    'measuring',
  ],
  MFU: [
    say`Model FLOPs utilization: the arithmetic that the model needs, as a share of what the GPU could do in that time.`,
    'measuring',
  ],
  'warm-up': [
    say`The first steps, in which the learning rate rises from 0: the running means of AdamW rest on few gradients then.`,
    'learning',
  ],
  head: [
    say`One of several attentions of a layer: each has its own queries, keys and values, and looks at other tokens.`,
    'heads',
  ],
  'label smoothing': [
    say`Training towards a little less than probability 1 for the correct token, so that the model does not become too sure.`,
    'loss',
  ],
} as const;

/** Name of a term. */
export type TermName = keyof typeof terms;

/** The names of all terms. */
export const termNames = Object.keys(terms) as readonly TermName[];

/** The id of the chapter of a term. */
export const chapterOf = (name: TermName): string => terms[name][1];

/**
 * A term as a button that opens its sentence, with the link to its chapter. `place`: the part of the id that tells panels
 * apart; `shown`: the word as it is in the text.
 */
export const term = (place: string, name: TermName, shown = translated(name)): Content => {
  const id = `term-${place}-${name.replaceAll(' ', '-')}`;
  const [sentence, chapter] = terms[name];
  return html`<button type="button" class="term" popovertarget=${id}>${shown}</button
    ><span popover id=${id} class="term-note"
      ><b>${translated(name)}</b> ${sentence} <a href="learn.html#${chapter}">Its chapter</a></span
    >`;
};

/** The terms of a panel. */
export const termList = (place: string, names: readonly TermName[]): Content => html`
  <p class="terms hint">
    <span>In a sentence:</span>
    ${names.map((name) => term(place, name))}
  </p>`;
