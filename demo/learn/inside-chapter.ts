// Chapter with the scalpel: switch parts off and see what happens.

import { say } from '../common/page-texts.ts';
import { ScalpelPanel } from '../scalpel/scalpel-panel.ts';
import type { Chapter } from './chapter.ts';

export const inside: Chapter = {
  id: 'inside',
  title: say`Look inside: the scalpel`,
  question: say`Which part of the model does this sentence need? Guess a head, click it away, and see the translation change.`,
  text: [
    say`A weight says little about what a head is for. To know, take it away: ablation. If the loss of one word rises, the head helps to write this word. The model can do without one head where others do the same; it cannot do without a layer.`,
    say`Hiding a word from cross-attention tells where its translation comes from. Replacing one vector of the memory by that of another sentence, activation patching, tells what this vector carries. The logit lens reads the decoder before it has finished.`,
    say`It works with your own models too: open one above. The same panel on the page Train looks into a model while it learns.`,
  ],
  figure: (_, host) => {
    const panel = new ScalpelPanel({
      inspect: (text, options) => host.session.inspect(text, options),
      text: host.text(),
    });
    void panel.start();
    return panel;
  },
};
