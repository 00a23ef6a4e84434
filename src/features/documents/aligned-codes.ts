// Puts the codes of a source into a translation that lacks some or all of them, by the alignment of both.

import type { Generation } from '../../decode/text-options.ts';
import { placeholderAt, placeholderOf } from '../../text/placeholders.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { type CodeGroup, codeGroups, type PlainText, plainText } from './inline/code-groups.ts';
import { codesIn } from './inline/code-patterns.ts';
import { isolated, withInnerCodes, withSpacing } from './inline/code-spacing.ts';
import {
  type InlineText,
  inlineText,
  keepsCodes,
  partOf,
  placeholdersIn,
  renderText,
} from './inline/inline-text.ts';
import { placeCodes } from './inline/place-codes.ts';
import {
  alignWords,
  isInWord,
  outOfWord,
  projectPoint,
  projectSpan,
  type WordAlignment,
} from './project-codes.ts';

/** The text without element codes and pairs, whose single text codes are as in the source. */
export function literalOf({ text, codes }: InlineText): string {
  const kept = withCodes(text, (c) => codes.get(c)?.kind === 'single' && codes.get(c)?.isText === true);
  return renderText(kept, codes);
}

/**
 * The text with some of its placeholders. Where one is gone, no two spaces remain, and two words that only a
 * single code separates get a space.
 */
function withCodes(text: string, keeps: (placeholder: string) => boolean): string {
  let out = '';
  let isBetween = false;
  for (const character of text) {
    const code = placeholderAt(character);
    if (code && !keeps(character)) {
      isBetween ||= code.kind === 'single';
      continue;
    }
    if (isBetween && /[\p{L}\p{N}]$/u.test(out) && /[\p{L}\p{N}]/u.test(character)) out += ' ';
    if (isBetween && /[.,;:!?)]/.test(character)) out = out.trimEnd();
    isBetween = false;
    if (/\s/.test(character) && (out === '' || /\s$/.test(out))) continue;
    out += character;
  }
  return out.trimEnd();
}

/** A source in which each group is one code, and texts with these codes. */
interface Grouped {
  readonly source: InlineText;
  /** A text with the groups in place of their codes. */
  expand(text: string): string;
  /** A text with codes in place of their groups. */
  collapse(text: string): string;
}

function grouped(source: InlineText, groups: readonly CodeGroup[]): Grouped {
  const texts = new Map(groups.map(({ code, start, end }) => [code, source.text.slice(start, end)]));
  const hidden = new Set([...texts].flatMap(([code, text]) => [...text].filter((c) => c !== code)));
  return {
    source: {
      text: groups.reduceRight(
        (text, { start, hiddenEnd, code }) => text.slice(0, start) + code + text.slice(hiddenEnd),
        source.text,
      ),
      codes: new Map([...source.codes].filter(([c]) => !hidden.has(c))),
      pattern: source.pattern,
    },
    expand: (text) => text.replace(/[\ue000-\uf7ff]/g, (c) => texts.get(c) ?? c),
    collapse: (text) => [...texts].reduce((out, [code, group]) => out.replace(group, () => code), text),
  };
}

/** The groups of a source that a translation has as they are. */
const groupsIn = (source: InlineText, translation: string): CodeGroup[] =>
  codeGroups(source).filter(({ start, end }) => translation.includes(source.text.slice(start, end)));

/** A translation with spaces around its groups and codes as in the source. */
function spaced(source: InlineText, translation: string): string {
  const { source: reduced, expand, collapse } = grouped(source, groupsIn(source, translation));
  return withSpacing(source, expand(withSpacing(reduced, collapse(translation))));
}

/** The first of some translations that keeps the codes, with the spaces of the source around them. */
export function validOf(source: InlineText, candidates: readonly string[]): string | undefined {
  const all = candidates.map((text) => spaced(source, text));
  return [...all, ...all.map(isolated)].find((text) => keepsCodes(source, text));
}

/** Where the codes of a source are. */
interface PlacesInSource {
  readonly plain: PlainText;
  /** Their places in the text that the alignment knows. */
  readonly offsets: ReadonlyMap<string, number>;
  /** The place in the translation of an offset in the text that the alignment knows. */
  shift(offset: number): number;
}

/** A translation in which the codes that it lacks are placed. */
function placed(
  source: InlineText,
  target: string,
  alignment: WordAlignment,
  { plain, offsets, shift }: PlacesInSource,
): string {
  const codes = new Map([...source.codes].filter(([c]) => !target.includes(c)));
  const aligned = (code: string): number => {
    const { kind, index } = placeholderAt(code) ?? { kind: 'single', index: 0 };
    const [open, close] = [
      offsets.get(placeholderOf('open', index)),
      offsets.get(placeholderOf('close', index)),
    ];
    if (kind !== 'single' && open !== undefined && close !== undefined && close > open) {
      const { start, end } = projectSpan(alignment, open, close);
      return shift(kind === 'open' ? start : end);
    }
    return shift(projectPoint(alignment, offsets.get(code) ?? 0));
  };
  const placeOf = (code: string): number => {
    const at = aligned(code);
    const isInside = isInWord(plain.text, plain.offsets.get(code) ?? 0);
    return isInside ? at : outOfWord(target, at, placeholderAt(code)?.kind === 'open');
  };
  const text = [...source.text].filter((c) => !target.includes(c) || !source.codes.has(c)).join('');
  return placeCodes(text, target, codes, placeOf);
}

/** Moves the codes of a translation as little as possible so that their nesting is valid. Groups stay together. */
export function renested(source: InlineText, translation: string): string {
  const { expand, collapse } = grouped(source, groupsIn(source, translation));
  const target = collapse(translation);
  const own = new Map([...source.codes].filter(([c]) => target.includes(c)));
  const offsets = new Map<string, number>();
  let plain = '';
  for (const character of target)
    if (own.has(character)) offsets.set(character, plain.length);
    else plain += character;
  const placed = placeCodes(source.text, plain, own, (code) => offsets.get(code) ?? plain.length);
  return expand(placed);
}

/** A sentence in which the model kept the single text codes; undefined if it did not. */
export function copied(source: InlineText, found: Generation, tokenizer: Tokenizer): string | undefined {
  const own = inlineText(found.text, source.pattern);
  const waiting = placeholdersIn(source.text).filter((c) => {
    const code = source.codes.get(c);
    return code?.isText && code.kind === 'single';
  });
  let [text, wrong] = [own.text, false];
  text = Array.from(text, (c) => {
    const raw = own.codes.get(c)?.raw;
    if (raw === undefined) return c;
    const at = waiting.findIndex((w) => source.codes.get(w)?.raw === raw);
    const [match] = at < 0 ? [] : waiting.splice(at, 1);
    wrong ||= match === undefined;
    return match ?? '';
  }).join('');
  if (wrong || waiting.length > 0) return undefined;
  if (placeholdersIn(text).length === source.codes.size) return validOf(source, [text]);
  const alignment = alignWords(literalOf(source), found, tokenizer);
  // The alignment knows the literal text: offsets before each code, with the other codes written out.
  const offsets = new Map(
    placeholdersIn(source.text).map((c) => {
      const before = partOf(source, source.text.slice(0, source.text.indexOf(c)));
      return [c, literalOf(before).length] as const;
    }),
  );
  const shift = (offset: number): number => literalToInline(text, source, offset);
  return validOf(source, [placed(source, text, alignment, { plain: plainText(source), offsets, shift })]);
}

/** Offset in a text with placeholders of an offset in the same text with its codes written out. */
function literalToInline(text: string, { codes }: InlineText, offset: number): number {
  let [literal, i] = [0, 0];
  for (; i < text.length && literal < offset; i++) literal += codes.get(text[i] as string)?.raw.length ?? 1;
  return i;
}

/** A sentence whose plain text was translated, with all codes placed: groups as in the source. */
export function projected(source: InlineText, found: Generation, tokenizer: Tokenizer): string | undefined {
  const groups = codeGroups(source);
  const plain = plainText(source, groups);
  const alignment = alignWords(plain.text, found, tokenizer);
  const { source: reduced, expand } = grouped(source, groups);
  const candidates = [withoutCodes, withoutSpecials].map((clean) => {
    const target = clean(found.text, source);
    const scale = found.text.length === target.length ? 1 : target.length / Math.max(1, found.text.length);
    const shift = (at: number) => Math.round(at * scale);
    const text = placed(reduced, target, alignment, { plain, offsets: plain.offsets, shift });
    return [expand(withInnerCodes(reduced.text, text)), expand(text)];
  });
  return validOf(source, candidates.flat());
}

/** A translation without codes that the model has invented. */
export const withoutCodes = (text: string, { pattern }: InlineText): string =>
  codesIn(text, pattern)
    .reduceRight((out, { start, raw }) => out.slice(0, start) + out.slice(start + raw.length), text)
    .replace(/[\ue000-\uf8ff]/g, '');

/** A translation without any character of which codes are made. */
export const withoutSpecials = (text: string): string => text.replace(/[%<>{}&$#@~\ue000-\uf8ff]/g, '');
