// Strings of the gettext catalogs of this machine that have placeholders, with their translations; all others
// are pairs to train on.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../src/core/random.ts';
import { type InlineText, inlineText, keepsCodes } from '../../src/features/documents/inline/inline-text.ts';
import { parsePo, quotePo } from '../../src/features/documents/pairs/po-file.ts';

/** A string with placeholders. */
export interface CatalogString {
  readonly source: InlineText;
  /** Its text with the codes as written. */
  readonly id: string;
  readonly reference: string;
  readonly flags: readonly string[];
}

/** Pairs of the catalogs. */
export interface CatalogStrings {
  readonly strings: readonly CatalogString[];
  /** The other pairs, as lines of TSV. */
  readonly others: readonly string[];
}

/** A catalog of messages with a header. */
export function writePo(
  entries: readonly { readonly id: string; readonly flags: readonly string[]; readonly text: string }[],
): string {
  const header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n';
  return (
    header +
    entries
      .map(({ id, flags, text }) => {
        const line = flags.length > 0 ? `#, ${flags.join(', ')}\n` : '';
        return `${line}msgid ${quotePo(id)}\nmsgstr ${quotePo(text)}\n\n`;
      })
      .join('')
  );
}

/** The lines of a catalog that `msgfmt --check` refuses; none: it is valid. */
export function msgfmtFaults(po: string): number[] {
  try {
    execFileSync('msgfmt', ['--check-format', '--use-fuzzy', '-o', '/dev/null', '-'], {
      input: po,
      stdio: ['pipe', 'ignore', 'pipe'],
      maxBuffer: 2 ** 28,
    });
    return [];
  } catch (error) {
    const { stderr } = error as { stderr: Buffer };
    return [...stderr.toString().matchAll(/^[^:\n]*:(\d+):/gm)].map(([, line]) => Number(line));
  }
}

/** The messages of a catalog that `msgfmt --check` refuses, by their index. */
export function faultyMessages(entries: Parameters<typeof writePo>[0]): Set<number> {
  const po = writePo(entries);
  const lines = msgfmtFaults(po);
  if (lines.length === 0) return new Set();
  const starts = [...po.matchAll(/^msgid /gm)]
    .slice(1)
    .map(({ index }) => po.slice(0, index).split('\n').length);
  return new Set(lines.map((line) => starts.findLastIndex((start) => start <= line)));
}

/** A number that orders strings at random, the same in each run. */
const rank = (text: string): number => keyOf(text) >>> 0;

/** Reads the catalogs of a folder; `count` strings with placeholders are chosen. */
export function catalogStrings(folder: string, count: number): CatalogStrings {
  const known = new Map<string, string>();
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.mo'))
    .sort()) {
    const text = execFileSync('msgunfmt', ['--no-wrap', join(folder, name)], {
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const { id, plural, translations } of parsePo(text.toString(), name).entries) {
      const [first] = translations;
      if (plural === undefined && first && first.text !== '' && !known.has(id)) known.set(id, first.text);
    }
  }
  const all = [...known].map(([id, reference]) => ({ id, reference }));
  const withFlag = all.map(({ id, reference }) => ({ id, text: reference, flags: ['c-format'] }));
  const noC = faultyMessages(withFlag);
  const strings: CatalogString[] = [];
  const others: { id: string; reference: string }[] = [];
  for (const [i, { id, reference }] of all.entries()) {
    const flags = noC.has(i) || !/%/.test(id) ? [] : ['c-format'];
    const source = inlineText(id, { flags: new Set(flags) });
    const target = inlineText(reference, source.pattern);
    const raws = ({ codes }: InlineText) =>
      [...codes.values()]
        .map(({ raw }) => raw)
        .sort()
        .join('\0');
    const words = id.split(/\s+/).length;
    const isString =
      source.codes.size > 0 &&
      raws(source) === raws(target) &&
      words >= 3 &&
      words <= 40 &&
      id !== reference &&
      !/\n./.test(id);
    if (isString) strings.push({ source, id, reference, flags });
    else others.push({ id, reference });
  }
  strings.sort((a, b) => rank(a.id) - rank(b.id));
  const rest = [...others, ...strings.slice(count)].map(({ id, reference }) =>
    [id, reference].map((text) => text.replace(/\s+/g, ' ').trim()).join('\t'),
  );
  return { strings: strings.slice(0, count), others: [...new Set(rest)] };
}

/** Whether a translation of a string keeps its codes. */
export const isValid = ({ source }: CatalogString, text: string): boolean => keepsCodes(source, text);
