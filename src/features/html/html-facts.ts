// What the table of formats says of the HTML file.

import type { ModelFormat } from '../../formats/model-format.ts';

/** dtypes of the weights in the file. */
export const htmlDtypes = ['int8', 'f16', 'f32'] as const;
/** dtype of the weights in the file. */
export type HtmlDtype = (typeof htmlDtypes)[number];

/** The row of the format without its code. */
export const htmlFacts = {
  names: ['html'],
  fileEnding: '.html',
  title: 'one HTML file that translates without a network',
  dtypes: htmlDtypes,
  defaultDtype: 'int8',
  options: {
    title: { help: 'headline of the page (default: the languages of the model)', value: '<text>' },
  },
  usage: () => ['Open the file in a browser: it has the model and its translator.'],
} satisfies ModelFormat;
