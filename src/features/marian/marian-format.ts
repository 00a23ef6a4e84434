// What the tables of formats and sources say of the files of Marian and Firefox, without the code that reads and
// writes them.

import { check } from '../../core/errors.ts';
import type { ModelFormat } from '../../formats/model-format.ts';
import { isMarianFolder } from './files/marian-folder.ts';

/** The row of Marian's own files, without its code. */
export const marianFacts = {
  names: ['marian-npz', 'marian-bin'],
  title: 'the files of Marian',
  usage: (name) => [
    'Marian:',
    '',
    '```sh',
    `marian-decoder -c ${name}/decoder.yml < texts.txt`,
    '```',
    '',
    `heddle: \`await loadModel('${name}')\`, or \`npx heddle translate ${name} "Good morning."\`.`,
  ],
  isConfig: ({ marian }) => marian !== undefined,
  isFolder: isMarianFolder,
} satisfies ModelFormat;

/** The row of Firefox's files, without its code. Its folders are read as those of Marian. */
export const firefoxFacts = {
  names: ['firefox'],
  title: 'the files of Firefox Translations, with int8 matrices',
  usage: (name) => [
    'The files are those of a model of Firefox Translations: the engine bergamot-translator reads them.',
    '',
    `heddle: \`await loadModel('${name}')\`, or \`npx heddle translate ${name} "Good morning."\`.`,
  ],
  options: {
    languagePair: {
      value: '<codes>',
      help: 'languages in the names of the files, for example enes (default: those of the files of the model)',
    },
    shortlist: {
      value: '<file>',
      help: 'shortlist, or a lexical table to make it of: lines of target token, source token, probability, as heddle align writes them (default: the shortlist of the model)',
      fromFile: (bytes) => bytes,
    },
    calibration: {
      value: '<file>',
      help: 'measure the multipliers of the inputs of int8 products (alphas) on the texts of this file: a source in each line, with its translation behind a tab if there is one (default: the multipliers of the model)',
      fromFile: calibrationTexts,
    },
    multipliers: {
      help: 'multipliers of the inputs of int8 products by name (default: those of the model)',
    },
  },
} satisfies ModelFormat;

/** The texts of a file: a source in each line, or a source and its translation with a tab between them. */
function calibrationTexts(bytes: Uint8Array) {
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  check(lines.length > 0, 'there is no text for the calibration');
  return lines.map((line) => {
    const [source = '', target = ''] = line.split('\t');
    return { source, target };
  });
}

const pairPattern = /^[a-z]{2,3}(?:_\w{2,8})?-[a-z]{2,3}(?:_\w{2,8})?$/;

/** Whether a name is a pair of languages such as `en-es`, a model of Firefox Translations, and not OWNER/NAME. */
export const isLanguagePair = (name: string): boolean => pairPattern.test(name);
