// Messages: texts with typed holes. Who throws or reports a message names its options and values; who prints it renders
// them: the library as `batchSize`, the command as `--batch-size`, a page in its language, by the key of the message.

import { formatBytes, formatNumber, formatPercent } from './format-numbers.ts';

/**
 * A text with holes, as `msg` makes it: `texts` are around the holes, one more than `holes`. It is plain data, which
 * passes between threads and processes.
 */
export interface Message {
  readonly texts: readonly string[];
  readonly holes: readonly Hole[];
}

/** What a hole has: a value as it is, a value that each reader writes its own way, or another message. */
export type Hole = string | number | TypedHole | Message;

/** A value that each reader writes its own way. */
export type TypedHole =
  | FixedHole
  | SignificantHole
  | OptionHole
  | OfferHole
  | LabelHole
  | CountHole
  | FileHole
  | SizeHole
  | ShareHole
  | ListHole;

/** An option of the library by its name: `batchSize`. */
export interface OptionHole {
  readonly type: 'option';
  readonly name: string;
}

/** Options with values that a message offers: `batchSize: 16, gradientCheckpointing: true`. */
export interface OfferHole {
  readonly type: 'offer';
  readonly values: Readonly<Record<string, unknown>>;
}

/** A label of a page, in English. */
export interface LabelHole {
  readonly type: 'label';
  readonly text: string;
}

/** A number of things: `{0} pair` if it is 1, else `{0} pairs`. */
export interface CountHole {
  readonly type: 'count';
  readonly value: number;
  readonly one: string;
  readonly many: string;
}

/** A file or a folder. */
export interface FileHole {
  readonly type: 'file';
  readonly path: string;
}

/** A number with three significant digits. */
export interface SignificantHole {
  readonly type: 'significant';
  readonly value: number;
}

/** A number with a fixed number of digits after the decimal sign. */
export interface FixedHole {
  readonly type: 'fixed';
  readonly value: number;
  readonly digits: number;
}

/** A number of bytes. */
export interface SizeHole {
  readonly type: 'bytes';
  readonly value: number;
}

/** A share from 0 to 1. */
export interface ShareHole {
  readonly type: 'percent';
  readonly value: number;
}

/** Several holes, separated by a text. */
export interface ListHole {
  readonly type: 'list';
  readonly items: readonly Hole[];
  readonly separator: string;
}

/**
 * Makes a message of a template. A value that is undefined reads `undefined`, as in other templates.
 * ``check(size >= 1, msg`${option('batchSize')} must be at least 1, not ${size}`)``
 */
export const msg = (texts: readonly string[], ...holes: readonly (Hole | undefined)[]): Message => ({
  texts: [...texts],
  holes: holes.map((hole) => hole ?? String(hole)),
});

/** A message without holes, of a table of texts. */
export const plainMessage = (text: string): Message => ({ texts: [text], holes: [] });

/** Hole of an option by its name; with a value, an option that the message offers: `batchSize: 16`. */
export function option(name: string): OptionHole;
export function option(name: string, value: unknown): OfferHole;
export function option(name: string, value?: unknown): OptionHole | OfferHole {
  return value === undefined ? { type: 'option', name } : { type: 'offer', values: { [name]: value } };
}

/** Hole of options that the message offers: `batchSize: 16, gradientCheckpointing: true`. */
export const offer = (values: object): OfferHole => ({
  type: 'offer',
  values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
});

/** Hole of a label of a page. */
export const pageLabel = (text: string): LabelHole => ({ type: 'label', text });

/** Hole of a number of things: `counted(n, '{0} pair', '{0} pairs')`. */
export const counted = (value: number, one: string, many: string): CountHole => ({
  type: 'count',
  value,
  one,
  many,
});

/** Hole of a file or a folder. */
export const filePath = (path: string): FileHole => ({ type: 'file', path });

/** Hole of a number with a fixed number of digits: `0.250`. */
export const fixed = (value: number, digits: number): FixedHole => ({ type: 'fixed', value, digits });

/** Hole of a number with three significant digits: `0.0421`, `12.3`, `1,240`. */
export const significant = (value: number): SignificantHole => ({ type: 'significant', value });

/** Hole of a number of bytes: `12.3 MiB`. */
export const byteSize = (value: number): SizeHole => ({ type: 'bytes', value });

/** Hole of a share from 0 to 1: `97.2 %`. */
export const percentage = (value: number): ShareHole => ({ type: 'percent', value });

/** Hole of several values. */
export const listed = (items: readonly Hole[], separator = ', '): ListHole => ({
  type: 'list',
  items,
  separator,
});

/** Key of a message in the texts of a language: `Reading {0}`. */
export const messageKey = ({ texts }: Message): string =>
  texts.map((text, i) => (i === 0 ? text : `{${i - 1}}${text}`)).join('');

/** How a reader writes messages. What is missing is as in the library, in English. */
export interface MessageStyle {
  /** The text of a key in another language, or in other words; undefined: the key. */
  readonly text?: (key: string) => string | undefined;
  /** The text of a hole; undefined: as in the library. */
  readonly hole?: (hole: TypedHole | string | number) => string | undefined;
}

/** A message as a text. */
export function renderMessage(message: Message | string, style: MessageStyle = {}): string {
  if (typeof message === 'string') return style.text?.(message) ?? message;
  const key = messageKey(message);
  const text = style.text?.(key) ?? key;
  // One pass, so that a value that looks like a hole stays as it is.
  return text.replaceAll(/\{(\d+)\}/g, (all, i: string) => {
    const hole = message.holes[Number(i)];
    return hole === undefined ? all : renderHole(hole, style);
  });
}

/** A hole as a text. */
function renderHole(hole: Hole, style: MessageStyle): string {
  if (typeof hole === 'object' && 'texts' in hole) return renderMessage(hole, style);
  const text = style.hole?.(hole);
  if (text !== undefined) return text;
  if (typeof hole !== 'object') return String(hole);
  switch (hole.type) {
    case 'option':
      return hole.name;
    case 'offer':
      return fieldTexts(hole.values).join(', ');
    case 'label':
      return `“${hole.text}”`;
    case 'count':
      return (hole.value === 1 ? hole.one : hole.many).replace('{0}', String(hole.value));
    case 'file':
      return hole.path;
    case 'significant':
      return formatNumber(hole.value);
    case 'fixed':
      return hole.value.toFixed(hole.digits);
    case 'bytes':
      return formatBytes(hole.value);
    case 'percent':
      return formatPercent(hole.value);
    case 'list':
      return hole.items.map((item) => renderHole(item, style)).join(hole.separator);
    default:
      return String(hole); // a value of a program without types
  }
}

/** The value of an option as a program writes it: `16`, `'f16'`, `{ rank: 8 }`. */
function optionValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(optionValue).join(', ')}]`;
  return `{ ${fieldTexts(value).join(', ')} }`;
}

/** The fields of an object as a program writes them. */
const fieldTexts = (values: object): string[] =>
  Object.entries(values).map(([name, value]) => `${name}: ${optionValue(value)}`);

/** The holes of a message, those of its lists and messages included, in their order. */
export const holesOf = ({ holes }: Message): readonly (TypedHole | string | number)[] =>
  holes.flatMap((hole) => flatHoles(hole));

function flatHoles(hole: Hole): readonly (TypedHole | string | number)[] {
  if (typeof hole !== 'object') return [hole];
  if ('texts' in hole) return holesOf(hole);
  return hole.type === 'list' ? hole.items.flatMap(flatHoles) : [hole];
}
