// A text whose inline codes are placeholders: tags and elements, and placeholders of programs that are found in
// the text itself. What a translation must keep is checked here.

import { type CodeKind, maxCodes, placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import { type CodePattern, codesIn, isFormatString } from './code-patterns.ts';

/** An inline code of a document, such as `<b>` or `%s`, which a translation keeps. */
export interface InlineCode {
  /** Whether it opens, closes or stands alone. */
  readonly kind: CodeKind;
  /** How the document writes it. */
  readonly raw: string;
  /** Whether it is part of the text (`%s`), and not an element of the document. */
  readonly isText: boolean;
  /** Whether codes like it may not change their order, as `%s` and `%d` of C. */
  readonly isOrdered: boolean;
}

/** A text and its codes by placeholder. */
export interface InlineText {
  /** The text with one placeholder for each code. */
  readonly text: string;
  /** The codes by placeholder. */
  readonly codes: ReadonlyMap<string, InlineCode>;
  /** The codes that are searched in texts. */
  readonly pattern: CodePattern;
}

const placeholders = /[\ue000-\uf7ff]/g;

/** Finds the codes in a text that may have placeholders of elements already, with their codes in `given`. */
export function inlineText(
  text: string,
  pattern: CodePattern,
  given: ReadonlyMap<string, InlineCode> = new Map(),
): InlineText {
  const codes = new Map(given);
  let next = Math.max(-1, ...[...given.keys()].map((c) => placeholderAt(c)?.index ?? -1)) + 1;
  // There are no placeholders for more: what is left is text.
  const found = codesIn(text, pattern).slice(0, Math.max(0, maxCodes - next));
  const open: { name: string; at: number; index: number }[] = [];
  // Which tags are pairs: an opening tag with the closing tag of its name behind it.
  const kinds = found.map((): CodeKind => 'single');
  const indices = found.map(() => next++);
  for (const [i, { tag }] of found.entries()) {
    if (tag?.kind === 'open') open.push({ name: tag.name, at: i, index: indices[i] as number });
    if (tag?.kind !== 'close') continue;
    const from = open.findLastIndex(({ name }) => name === tag.name);
    const start = open[from];
    if (!start) continue;
    open.length = from;
    kinds[start.at] = 'open';
    kinds[i] = 'close';
    indices[i] = start.index;
  }
  let [out, at] = ['', 0];
  for (const [i, { start, raw, isOrdered }] of found.entries()) {
    const kind = kinds[i] as CodeKind;
    const placeholder = placeholderOf(kind, indices[i] as number);
    codes.set(placeholder, { kind, raw, isText: true, isOrdered });
    out += text.slice(at, start) + placeholder;
    at = start + raw.length;
  }
  return { text: out + text.slice(at), codes, pattern };
}

/** A text with the codes that are text in place of their placeholders; elements keep theirs. */
export const renderText = (text: string, codes: InlineText['codes']): string =>
  text.replace(placeholders, (c) => {
    const code = codes.get(c);
    return code?.isText ? code.raw : c;
  });

/** A text as people write it, with placeholders for the codes of its source; others stay text. */
export function withPlaceholders({ codes }: InlineText, text: string): string {
  const waiting = [...codes].map(([placeholder, { raw }]) => ({ placeholder, raw }));
  const clean = text.replace(/[\ue000-\uf8ff]/g, '');
  let out = '';
  for (let at = 0; at < clean.length; ) {
    // The longest code that begins here, the first of equal ones.
    const [next] = waiting
      .filter(({ raw }) => raw !== '' && clean.startsWith(raw, at))
      .sort((a, b) => b.raw.length - a.raw.length);
    if (next) {
      waiting.splice(waiting.indexOf(next), 1);
      out += next.placeholder;
      at += next.raw.length;
    } else out += clean[at++];
  }
  return out;
}

/** The placeholders of a text, in order. */
export const placeholdersIn = (text: string): string[] => text.match(placeholders) ?? [];

/** Part of an inline text, such as a sentence, with its own codes. */
export const partOf = ({ codes, pattern }: InlineText, text: string): InlineText => ({
  text,
  pattern,
  codes: new Map(
    placeholdersIn(text).flatMap((c) => (codes.has(c) ? [[c, codes.get(c) as InlineCode]] : [])),
  ),
});

/**
 * Whether a translation keeps the codes of its source: each exactly once, pairs nested unless the source crosses them,
 * ordered ones in order, and no code in its text that the source does not have.
 */
export function keepsCodes({ text, codes, pattern }: InlineText, translation: string): boolean {
  const [wanted, got] = [placeholdersIn(text), placeholdersIn(translation)];
  if ([...wanted].sort().join() !== [...got].sort().join()) return false;
  if (!opensFirst(got)) return false;
  const known = crossingsIn(wanted);
  for (const crossing of crossingsIn(got)) if (!known.has(crossing)) return false;
  const ordered = (list: readonly string[]) => list.filter((c) => codes.get(c)?.isOrdered).join();
  if (ordered(wanted) !== ordered(got)) return false;
  // In a format string a % that is no directive is an error.
  const percents = (some: string) => some.split('%').length;
  if (isFormatString(pattern) && percents(translation) > percents(text)) return false;
  const rawsOf = (some: string) => codesIn(renderText(some, codes), pattern).map(({ raw }) => raw);
  return rawsOf(text).sort().join('\0') === rawsOf(translation).sort().join('\0');
}

/** Whether pairs are nested: each closes the one that was opened last. */
export function isNested(list: readonly string[]): boolean {
  const open: number[] = [];
  for (const character of list) {
    const { kind, index } = placeholderAt(character) ?? { kind: 'single', index: 0 };
    if (kind === 'open' && list.includes(placeholderOf('close', index))) open.push(index);
    if (kind === 'close' && list.includes(placeholderOf('open', index)) && open.pop() !== index) return false;
  }
  return open.length === 0;
}

/** Which pairs cross, as `<b><i></b></i>` does: the numbers of the two. */
function crossingsIn(list: readonly string[]): Set<string> {
  const found = new Set<string>();
  const open: number[] = [];
  for (const character of list) {
    const { kind, index } = placeholderAt(character) ?? { kind: 'single', index: 0 };
    if (kind === 'open' && list.includes(placeholderOf('close', index))) open.push(index);
    const at = kind === 'close' ? open.lastIndexOf(index) : -1;
    if (at < 0) continue;
    for (const inner of open.slice(at + 1)) found.add(`${Math.min(index, inner)} ${Math.max(index, inner)}`);
    open.splice(at, 1);
  }
  return found;
}

/** Whether no pair closes before it opens. */
const opensFirst = (list: readonly string[]): boolean =>
  list.every((character, i) => {
    const { kind, index } = placeholderAt(character) ?? { kind: 'single', index: 0 };
    return kind !== 'close' || list.indexOf(placeholderOf('open', index)) <= i;
  });
