// The entries of a PO file of gettext with the places of their lines, for reading pairs and for writing
// translations back. gettext-parser, the usual package, keeps no places and needs Node's Buffer and iconv; the
// format is lines of a keyword and a quoted string
// (https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html).

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { TextBytesDecoder } from '../text-decoder.ts';
import { defaultPlurals, type PluralForms, parsePluralForms } from './plural-forms.ts';

/** A keyword with its string. */
export interface PoField {
  readonly text: string;
  /** Offsets of its first line and behind its last line, with the line break. */
  readonly start: number;
  readonly end: number;
}

/** An entry: a message with its translation. */
export interface PoEntry {
  /** Offset of its first line, comments included. */
  readonly start: number;
  readonly end: number;
  /** Offset of its first line that is not a comment. */
  readonly keywords: number;
  readonly context: string | undefined;
  readonly id: string;
  readonly plural: string | undefined;
  /** `msgstr`, or `msgstr[0]`, `msgstr[1]`, ... */
  readonly translations: readonly PoField[];
  /** Flags: `fuzzy`, `c-format`, ... */
  readonly flags: ReadonlySet<string>;
  /** Where a line of flags goes if there is none: before the previous message (`#|`) and the keywords. */
  readonly flagPlace: number;
  /** The line of the flags, if there is one. */
  readonly flagLine: { readonly start: number; readonly end: number } | undefined;
}

/** A PO file. */
export interface PoFile {
  /** Without the header and obsolete entries. */
  readonly entries: readonly PoEntry[];
  readonly header: ReadonlyMap<string, string>;
  readonly plurals: PluralForms;
  /** The line break of the file. */
  readonly newline: string;
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** The text of a quoted string, without its quotes. */
export const unescapePo = (quoted: string): string =>
  quoted.replace(/\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/g, (_, hex, octal, one: string) =>
    hex !== undefined
      ? String.fromCharCode(Number.parseInt(hex, 16))
      : octal !== undefined
        ? String.fromCharCode(Number.parseInt(octal, 8) & 255)
        : (escapes[one] ?? one),
  );

/** Characters that have an escape of one letter, and that letter. */
const escapeOf: ReadonlyMap<string, string> = new Map([
  ...Object.entries(escapes).map(([letter, character]) => [character, letter] as const),
  ['"', '"'],
  ['\\', '\\'],
]);

/** A string as its quoted form. */
export const quotePo = (text: string): string =>
  `"${Array.from(text, (c) => (escapeOf.has(c) ? `\\${escapeOf.get(c)}` : c)).join('')}"`;

/** A line of a keyword, or one that continues the string before it. */
const keywordLine =
  /^[ \t]*(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d{1,2})\])?[ \t]*)?"((?:[^"\\]|\\.)*)"[ \t]*$/;

type Keyword = 'msgctxt' | 'msgid' | 'msgid_plural' | 'msgstr';

/** Collects the lines of one entry. */
class EntryLines {
  readonly start: number;
  end: number;
  keywords = -1;
  readonly fields: { keyword: Keyword; index: number; parts: string[]; start: number; end: number }[] = [];
  readonly flags = new Set<string>();
  flagLine: { start: number; end: number } | undefined;
  /** Offset of the first line of the previous message. */
  previous: number | undefined;

  constructor(start: number) {
    this.start = start;
    this.end = start;
  }

  get hasTranslation(): boolean {
    return this.fields.some(({ keyword }) => keyword === 'msgstr');
  }

  entry(name: string, line: number): PoEntry {
    const textOf = (keyword: Keyword) =>
      this.fields
        .find((field) => field.keyword === keyword)
        ?.parts.map(unescapePo)
        .join('');
    const id = textOf('msgid');
    if (id === undefined || !this.hasTranslation)
      throw new HeddleError(msg`line ${line}: an entry without ${id === undefined ? 'msgid' : 'msgstr'}`, {
        area: name,
      });
    return {
      start: this.start,
      end: this.end,
      keywords: this.keywords,
      context: textOf('msgctxt'),
      id,
      plural: textOf('msgid_plural'),
      translations: this.fields
        .filter(({ keyword }) => keyword === 'msgstr')
        .map(({ parts, start, end }) => ({ text: parts.map(unescapePo).join(''), start, end })),
      flags: this.flags,
      flagPlace: this.previous ?? this.keywords,
      flagLine: this.flagLine,
    };
  }
}

/** Parses a PO file. Throws a HeddleError that names the line if it is not one. */
export function parsePo(text: string, name: string): PoFile {
  const entries: PoEntry[] = [];
  let header: ReadonlyMap<string, string> = new Map();
  let current: EntryLines | undefined;
  let line = 0;
  const finish = () => {
    if (!current || current.fields.length === 0) return;
    const entry = current.entry(name, line);
    current = undefined;
    if (entry.id === '' && entry.context === undefined)
      header = parseHeader(entry.translations[0]?.text ?? '');
    else entries.push(entry);
  };
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found + 1;
    const content = text.slice(at, end).replace(/\r?\n$/, '');
    line++;
    if (/^\s*$/.test(content)) {
      finish();
      current = undefined;
    } else if (content.trimStart().startsWith('#')) {
      if (current?.hasTranslation) finish();
      if (!content.trimStart().startsWith('#~')) {
        current ??= new EntryLines(at);
        if (content.trimStart().startsWith('#|')) current.previous ??= at;
        const flags = /^\s*#,(.*)$/.exec(content)?.[1];
        if (flags !== undefined) {
          for (const flag of flags.split(',')) current.flags.add(flag.trim());
          current.flagLine = { start: at, end };
        }
        current.end = end;
      }
    } else {
      current = addLine(current, content, { at, end }, () => {
        finish();
        return new EntryLines(at);
      });
      if (!current)
        throw new HeddleError(msg`line ${line}: not a line of a PO file: ${content.slice(0, 60)}`, {
          area: name,
        });
    }
    at = end;
  }
  finish();
  const plurals = parsePluralForms(header.get('plural-forms') ?? '') ?? defaultPlurals;
  return { entries, header, plurals, newline: /\r\n/.test(text) ? '\r\n' : '\n' };
}

/** Adds a line with a string to an entry, or to the next one; undefined if the line is not valid. */
function addLine(
  before: EntryLines | undefined,
  content: string,
  { at, end }: { readonly at: number; readonly end: number },
  next: () => EntryLines,
): EntryLines | undefined {
  const [all, keyword, index, quoted = ''] = keywordLine.exec(content) ?? [];
  if (all === undefined) return undefined;
  let current = before;
  if (!keyword) {
    const last = current?.fields.at(-1);
    if (!current || !last) return undefined;
    last.parts.push(quoted);
    last.end = end;
  } else {
    const starts =
      keyword === 'msgctxt' || (keyword === 'msgid' && current?.fields.at(-1)?.keyword !== 'msgctxt');
    if (!current || (starts && current.fields.length > 0)) current = next();
    if (current.keywords < 0) current.keywords = at;
    current.fields.push({
      keyword: keyword as Keyword,
      index: Number(index ?? 0),
      parts: [quoted],
      start: at,
      end,
    });
  }
  current.end = end;
  return current;
}

/** Fields of a header by their names in lower case. */
export const parseHeader = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
    }),
  );

/** Name of the encoding in a header; UTF-8 if there is none, as in a template. */
export function charsetOf(header: string): string {
  const charset = /charset=([\w.:-]+)/i.exec(header)?.[1] ?? 'utf-8';
  return /^charset$/i.test(charset) ? 'utf-8' : charset;
}

/** Decodes the bytes of a file by the charset in its header. Throws a HeddleError if they are no such text. */
export function decodePo(bytes: Uint8Array, name: string, header?: string): string {
  const start = header ?? new TextDecoder('latin1').decode(bytes.subarray(0, 8192));
  return new TextBytesDecoder(charsetOf(start), name, { keepsMark: true }).decode(bytes);
}
