// Writes a translation memory: TMX 1.4, which CAT tools and heddle read.

import { placeholderAt } from '../../text/placeholders.ts';

/** A pair of a memory: texts whose inline elements are placeholders, and how the document writes these. */
export interface MemoryPair {
  /** The source, with placeholders. */
  readonly source: string;
  /** The translation, with placeholders. */
  readonly target: string;
  /** The elements by their placeholders. */
  readonly elements?: ReadonlyMap<string, string>;
  /** When it was confirmed. */
  readonly time?: Date;
}

const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML does not have these characters
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** The text of a segment: elements become `<ph>`, `<bpt>` and `<ept>`. */
function segment(text: string, elements: ReadonlyMap<string, string>): string {
  const isPair = (index: number) =>
    [0xe800, 0xf000].every((first) => text.includes(String.fromCharCode(first + index)));
  return Array.from(text, (c) => {
    const code = placeholderAt(c);
    if (!code) return escapeXml(c);
    const raw = escapeXml(elements.get(c) ?? '');
    const number = code.index + 1;
    if (code.kind === 'single' || !isPair(code.index)) return `<ph x="${number}">${raw}</ph>`;
    return code.kind === 'open'
      ? `<bpt i="${number}" x="${number}">${raw}</bpt>`
      : `<ept i="${number}">${raw}</ept>`;
  }).join('');
}

/** Date and time as TMX writes them: `20261129T064000Z`. */
const dateOf = (time: Date): string => time.toISOString().replace(/[-:]|\.\d+/g, '');

/** A memory of pairs as the text of a TMX file. `languages`: BCP 47 tags. */
export function writeTmx(
  pairs: readonly MemoryPair[],
  languages: { readonly source: string; readonly target: string },
): string {
  const [source, target] = [escapeXml(languages.source), escapeXml(languages.target)];
  const units = pairs.map((pair) => {
    const elements = pair.elements ?? new Map<string, string>();
    const date = pair.time ? ` creationdate="${dateOf(pair.time)}"` : '';
    const side = (lang: string, text: string) =>
      `      <tuv xml:lang="${lang}"><seg>${segment(text, elements)}</seg></tuv>\n`;
    return `    <tu${date}>\n${side(source, pair.source)}${side(target, pair.target)}    </tu>\n`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4">\n' +
    '  <header creationtool="heddle" creationtoolversion="0.1.0" segtype="sentence" o-tmf="heddle" adminlang="en"' +
    ` srclang="${source}" datatype="plaintext"/>\n  <body>\n${units.join('')}  </body>\n</tmx>\n`
  );
}
