// The augmentations of training pairs: names, rates, and what they need. augmentations.ts applies them.

import { HeddleError } from '../../../core/errors.ts';
import { checkNames } from '../../../core/fields.ts';
import { msg, option } from '../../../core/message.ts';
import { placeholderOf } from '../../../text/placeholders.ts';
import { termMarks } from '../../../text/term-marks.ts';

/** A row of the table. */
interface AugmentationRow {
  /** What it does, for documentation. */
  readonly help: string;
  /** Rate in `web`, the defaults of OpusTrainer in Mozilla's pipeline; 0: not in `web`. */
  readonly web: number;
  /** Rate if only its name is given. [the one in `web`] */
  readonly rate?: number;
  /** Whether it needs word alignments. */
  readonly aligns?: true;
  /** Texts that a trained SentencePiece model shall know as one piece. */
  readonly symbols?: readonly string[];
}

/** Number of placeholders of a kind that models see in training. */
export const placeholderCount = 8;

/** The augmentations by name, in the order in which they are applied. */
export const augmentationRows = {
  noise: { help: 'replaces the pair by a line of random characters, the same on both sides', web: 0.0005 },
  terms: {
    help: 'writes the translation of a word after it, with marks (soft terms)',
    web: 0,
    rate: 0.1,
    aligns: true,
    symbols: Object.values(termMarks),
  },
  inlineNoise: {
    help: 'inserts emoji or random characters before words that translate each other',
    web: 0.005,
    aligns: true,
  },
  placeholders: {
    help: 'inserts placeholders of codes around, before and in place of words that translate each other',
    web: 0.005,
    aligns: true,
    symbols: (['single', 'open', 'close'] as const).flatMap((kind) =>
      Array.from({ length: placeholderCount }, (_, i) => placeholderOf(kind, i)),
    ),
  },
  upperCase: { help: 'both sides in upper case', web: 0.07 },
  titleCase: { help: 'both sides in title case', web: 0.05 },
  noEndPunctuation: { help: 'both sides without their final punctuation', web: 0.2 },
  typos: { help: 'typos in the source', web: 0.05 },
} as const satisfies Readonly<Record<string, AugmentationRow>>;

/** Name of an augmentation. */
export type AugmentationName = keyof typeof augmentationRows;

/** Rates of augmentations: the probability that a pair is changed; one that is missing is 0. */
export type AugmentRates = Partial<Record<AugmentationName, number>>;

/** The rows with their names. */
const rows = Object.entries(augmentationRows) as readonly (readonly [AugmentationName, AugmentationRow])[];

/**
 * The rates in a list: `web`, the name of an augmentation, or a name with a rate, as `typos=0.1`; later ones
 * override. Throws a HeddleError for others.
 */
export function augmentRates(given: readonly string[]): AugmentRates {
  const rates: AugmentRates = {};
  for (const item of given) {
    if (item === 'web') {
      for (const [name, { web }] of rows) if (web > 0) rates[name] = web;
      continue;
    }
    const [name = '', text] = item.split('=') as [string?, string?];
    const known = camelCase(name);
    checkNames({ area: 'train', noun: 'augmentation' }, ['web', ...Object.keys(augmentationRows)], [known]);
    const row: AugmentationRow = augmentationRows[known as AugmentationName];
    const rate = text === undefined ? (row.rate ?? row.web) : Number(text);
    if (!(rate >= 0 && rate <= 1) || text === '')
      throw new HeddleError(
        msg`the rate of ${name} in ${option('augment')} is ${text}, it must be a number from 0 to 1`,
        { area: 'train' },
      );
    rates[known as AugmentationName] = rate;
  }
  return rates;
}

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The symbols that a tokenizer should have for some augmentations. */
export const augmentSymbols = (rates: AugmentRates): string[] =>
  rows.flatMap(([name, { symbols = [] }]) => ((rates[name] ?? 0) > 0 ? symbols : []));

/** Whether some augmentations need word alignments. */
export const needsAlignments = (rates: AugmentRates): boolean =>
  rows.some(([name, { aligns }]) => aligns && (rates[name] ?? 0) > 0);

/** The rates in words: `typos 5 %`. */
export const describeRates = (rates: AugmentRates): string =>
  rows
    .flatMap(([name]) =>
      (rates[name] ?? 0) > 0 ? [`${name} ${Number((100 * (rates[name] ?? 0)).toFixed(3))} %`] : [],
    )
    .join(', ');
