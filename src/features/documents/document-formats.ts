// The table of document formats, and opening a document. The module of a format is loaded when it is used.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { DocumentOptions, ParseDocument, TranslatableDocument } from './document.ts';
import { charsetOf } from './pairs/po-file.ts';
import { encodingOfXml } from './pairs/xml-reader.ts';
import { decodeDocument, type EncodedText } from './text-encoding.ts';

/** A row of the table. */
interface DocumentFormat {
  /** Name of the format in help texts and on pages. */
  readonly label: string;
  /** Names of its files. */
  readonly names: RegExp;
  load(): Promise<ParseDocument>;
  /** Name of the encoding of a file. [UTF-8, or UTF-16 with a byte-order mark] */
  encodingOf?(bytes: Uint8Array): string;
  /** Whether a character may be written as a reference, `&#x3042;`. */
  readonly hasReferences?: boolean;
}

const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes.subarray(0, 8192));

/** The formats by name. */
export const documentFormats = {
  po: {
    label: 'PO',
    names: /\.pot?$/i,
    load: async () => (await import('./po-document.ts')).parsePoDocument,
    encodingOf: (bytes) => charsetOf(latin1(bytes)),
  },
  xliff: {
    label: 'XLIFF',
    names: /\.(?:xliff|xlf|mqxliff|sdlxliff)$/i,
    load: async () => (await import('./xliff-document.ts')).parseXliffDocument,
    encodingOf: encodingOfXml,
    hasReferences: true,
  },
  html: {
    label: 'HTML',
    names: /\.x?html?$/i,
    load: async () => (await import('./html-document.ts')).parseHtmlDocument,
    encodingOf: (bytes) => /<meta\b[^>]*\bcharset\s*=\s*["']?([\w.:-]+)/i.exec(latin1(bytes))?.[1] ?? 'utf-8',
    hasReferences: true,
  },
  srt: {
    label: 'SRT, VTT',
    names: /\.(?:srt|vtt)$/i,
    load: async () => (await import('./subtitle-document.ts')).parseSubtitles,
  },
  text: {
    label: '.txt',
    names: /\.(?:txt|text)$/i,
    load: async () => (await import('./text-document.ts')).parseTextDocument,
  },
} as const satisfies Readonly<Record<string, DocumentFormat>>;

/** The formats in words: `PO, XLIFF, ...`. */
export const documentFormatLabels = Object.values(documentFormats)
  .map(({ label }) => label)
  .join(', ');

/** Name of a document format. */
export type DocumentFormatName = keyof typeof documentFormats;

/** The format of a file by its name; undefined if it is no document. */
export const documentFormatOf = (path: string): DocumentFormatName | undefined =>
  (Object.keys(documentFormats) as DocumentFormatName[]).find((format) =>
    documentFormats[format].names.test(path),
  );

/** Document that `openDocument` has read: its units, and `encode` to bytes in the encoding of the file. */
export interface OpenedDocument extends TranslatableDocument, Pick<EncodedText, 'encode'> {
  /** Its format. */
  readonly format: DocumentFormatName;
}

/** Options of `openDocument`. */
export interface OpenOptions extends DocumentOptions {
  /** [by the name] */
  readonly format?: DocumentFormatName;
  /** [the one that the file names] */
  readonly encoding?: string;
}

/** Opens a document. Throws a HeddleError that starts with `name` if it cannot be read or written back. */
export async function openDocument(
  bytes: Uint8Array,
  name: string,
  { format = documentFormatOf(name), encoding, ...options }: OpenOptions = {},
): Promise<OpenedDocument> {
  if (!format)
    throw new HeddleError(msg`no document that can be translated; known are ${documentFormatLabels}`, {
      area: name,
    });
  const row: DocumentFormat = documentFormats[format];
  const { text, encode } = decodeDocument(
    bytes,
    encoding ?? byteOrderMark(bytes) ?? row.encodingOf?.(bytes) ?? 'utf-8',
    name,
    row.hasReferences ? referenceOf : undefined,
  );
  const parse = await row.load();
  const document = parse(text, name, options);
  return { ...document, format, encode };
}

/** The reference of a character. */
const referenceOf = (character: string): string =>
  `&#x${(character.codePointAt(0) as number).toString(16).toUpperCase()};`;

/** The encoding that a byte-order mark names. */
const byteOrderMark = ([a, b]: Uint8Array): string | undefined =>
  a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : undefined;
