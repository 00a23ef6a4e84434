// Spaces around the codes of a translation: as in the source. A code that does not touch a word there does not touch one
// here; where the source has no space, the translation has none if its words stay apart.

import { placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import type { InlineText } from './inline-text.ts';

/** What is next to a code. Codes of pairs have no width: what is behind them counts. */
interface Side {
  readonly kind: 'edge' | 'space' | 'letter' | 'digit' | 'mark' | 'code';
  /** The character, or all of a space. */
  readonly text: string;
  /** Index of the character, or of the nearest one of a space. */
  readonly at: number;
  /** The code of a pair that is between, if there is one: the nearest. */
  readonly across: string | undefined;
}

type Step = -1 | 1;

/** Whether a code may touch a word as in the source; numbers are words for codes of pairs. */
const isSimilar = (own: Side, has: Side, isPair: boolean): boolean =>
  own.kind === 'letter' || (own.kind === 'digit' && (isPair || has.kind === 'digit'));

const isSpace = (c: string): boolean => /\s/.test(c);
const isWord = ({ kind }: Pick<Side, 'kind'>): boolean => kind === 'letter' || kind === 'digit';
const textKind = (c: string): Side['kind'] =>
  /[\p{L}\p{M}]/u.test(c) ? 'letter' : /\p{N}/u.test(c) ? 'digit' : 'mark';
const kindAt = (c: string) => placeholderAt(c)?.kind;

/** Whether two codes are a pair. */
const isPartner = (code: string, other: string | undefined): boolean =>
  other !== undefined && partnerOf(code) === other;

/** The other code of a pair; undefined for a single code. */
function partnerOf(code: string): string | undefined {
  const { kind, index } = placeholderAt(code) ?? { kind: 'single', index: 0 };
  return kind === 'single' ? undefined : placeholderOf(kind === 'open' ? 'close' : 'open', index);
}

/** The codes of a text whose partners are in it, too. */
function tagsOf(list: readonly string[]): ReadonlySet<string> {
  const codes = new Set(list.filter((c) => kindAt(c)));
  return new Set([...codes].filter((code) => codes.has(partnerOf(code) ?? '')));
}

/** Marks that have no space behind them, and marks that have none before them. */
const [opening, closing] = [/[([{“«‘¿¡]/, /[.,;:!?…)\]}”»’%]/];

/** `tags`: the codes of pairs. */
function sideOf(list: readonly string[], tags: ReadonlySet<string>, from: number, step: Step): Side {
  let at = from + step;
  let across: string | undefined;
  for (; tags.has(list[at] ?? ''); at += step) across ??= list[at];
  const text = list[at];
  if (text === undefined) return { kind: 'edge', text: '', at, across };
  if (kindAt(text)) return { kind: 'code', text, at, across };
  if (!isSpace(text)) return { kind: textKind(text), text, at, across };
  let space = '';
  for (let i = at; isSpace(list[i] ?? ''); i += step) space = step < 0 ? list[i] + space : space + list[i];
  return { kind: 'space', text: space, at, across };
}

/** A translation in which the pairs around nothing are around nothing, too: the second code is behind the first. */
function withEmptyPairs(
  source: readonly string[],
  list: readonly string[],
  tags: ReadonlySet<string>,
): string[] {
  const empty = new Map(
    source.flatMap((code, i) => {
      const next = source[i + 1];
      return next !== undefined && tags.has(code) && isPartner(code, next) ? [[code, next] as const] : [];
    }),
  );
  if (empty.size === 0) return [...list];
  const present = new Set(list);
  const moved = new Set([...empty].flatMap(([first, next]) => (present.has(first) ? [next] : [])));
  return list.flatMap((c) => (moved.has(c) ? [] : [c, ...(empty.has(c) ? [empty.get(c) as string] : [])]));
}

/** A mark at the inner side of a pair that is lost comes back: one that could begin a code, with a space behind it. */
const restored = (text: string, step: Step): string =>
  step > 0 && /[%&<{$~]/.test(text) ? `${text} ` : text;

/** A translation while its spaces are changed. */
class Spacing {
  readonly list: string[];
  readonly #source: readonly string[];
  readonly #tags: ReadonlySet<string>;
  /** Index in the source of each code. */
  readonly #places: ReadonlyMap<string, number>;

  constructor(source: string, target: string) {
    this.#source = Array.from(source);
    this.#tags = tagsOf(this.#source);
    this.list = withEmptyPairs(this.#source, Array.from(target), this.#tags);
    this.#places = new Map(this.#source.flatMap((c, i) => (kindAt(c) ? [[c, i] as const] : [])));
  }

  /** Makes one side of a code as in the source. */
  fix(code: string, step: Step): void {
    const at = this.list.indexOf(code);
    // A pair around nothing has no inside.
    if (at < 0 || (this.#isInner(code, step) && isPartner(code, this.list[at + step]))) return;
    const own = this.#own(code, step);
    const has = sideOf(this.list, this.#tags, at, step);
    const isInner = this.#isInner(code, step);
    // What is behind another tag counts at the outer side only.
    const isLoose = isInner && own.across !== undefined && has.across === undefined;
    if (isInner && own.across !== undefined && own.kind === 'space' && has.kind !== 'space') return;
    if (has.kind === 'space' && (own.kind !== 'space' || isLoose)) this.#withoutSpace(at, step, own, has);
    else if (own.kind === 'space') this.#withSpace(at, step, own, has);
    else if (this.#isWrong(at, step)) {
      this.#insert(at, step, isInner && own.kind === 'mark' ? restored(own.text, step) : ' ');
    }
  }

  /** What is next to a code in the source. */
  #own(code: string, step: Step): Side {
    return sideOf(this.#source, this.#tags, this.#places.get(code) ?? -1, step);
  }

  /** Whether a side of a code is inside its pair. */
  #isInner(code: string, step: Step): boolean {
    return this.#tags.has(code) && kindAt(code) === (step > 0 ? 'open' : 'close');
  }

  /** Whether a code touches a word or a code that it may not touch. */
  #isWrong(at: number, step: Step): boolean {
    const code = this.list[at] as string;
    if (!this.#places.has(code)) return false;
    const [own, has] = [this.#own(code, step), sideOf(this.list, this.#tags, at, step)];
    if (this.#tags.has(code) && own.across !== undefined && (own.kind === 'code' || own.kind === 'space'))
      return false;
    if (isWord(has)) return !isSimilar(own, has, this.#tags.has(code));
    return has.kind === 'code' && own.kind !== 'code' && !this.#tags.has(code);
  }

  /** Number of wrong sides of the codes around an index. */
  #wrongAround(index: number): number {
    let [from, to] = [index, index];
    while (kindAt(this.list[from - 1] ?? '')) from--;
    while (kindAt(this.list[to] ?? '')) to++;
    let wrong = 0;
    for (let i = from; i < to; i++) wrong += Number(this.#isWrong(i, -1)) + Number(this.#isWrong(i, 1));
    return wrong;
  }

  #withSpace(at: number, step: Step, own: Side, has: Side): void {
    const space = /[\n\r]/.test(own.text) ? ' ' : own.text;
    const isApart =
      has.kind === 'mark' && has.across === undefined && (step < 0 ? closing : opening).test(has.text);
    const isTouching = isWord(has) || has.kind === 'code' || isApart;
    if (has.kind === 'space' && has.text === ' ' && own.across === has.across)
      this.list.splice(has.at, 1, ...space);
    else if (isTouching) this.#insert(at, step, space);
  }

  #withoutSpace(at: number, step: Step, own: Side, has: Side): void {
    if (own.kind === 'edge') return;
    const code = this.list[at] as string;
    const first = step < 0 ? has.at - has.text.length + 1 : has.at;
    if (this.#isInner(code, step)) {
      if (has.across === undefined) this.#moveOut(at, step, first, has.text.length);
      return;
    }
    if (/[\n\r]/.test(has.text)) return;
    const beyond = sideOf(this.list, this.#tags, step < 0 ? first : first + has.text.length - 1, step);
    const isSame = beyond.kind === own.kind && beyond.text === own.text;
    const isTight =
      isSame ||
      beyond.kind === 'edge' ||
      (beyond.kind === 'mark' && (isWord(own) || (step < 0 ? opening : closing).test(beyond.text))) ||
      (isWord(beyond) && isSimilar(own, beyond, false) && !this.#tags.has(code));
    if (!isTight) return;
    const before = this.#wrongAround(at);
    const removed = this.list.splice(first, has.text.length);
    if (this.#wrongAround(first) > before) this.list.splice(first, 0, ...removed);
  }

  /** Moves a code of a pair over the space inside the pair, so that the space is outside, unless the code must not touch what follows. */
  #moveOut(at: number, step: Step, first: number, length: number): void {
    const outer = sideOf(this.list, this.#tags, at, step < 0 ? 1 : -1);
    const space = this.list.splice(first, length);
    const code = step < 0 ? at - length : at;
    if (this.#isWrong(code, step) && this.#own(this.list[code] as string, step).kind !== 'mark')
      this.list.splice(first, 0, ...space);
    else if (
      isWord(outer) ||
      outer.kind === 'code' ||
      (outer.kind !== 'edge' && outer.across !== undefined) ||
      space.some((c) => /[\n\r]/.test(c))
    )
      this.list.splice(step < 0 ? code + 1 : code, 0, ...space);
  }

  /** Inserts text between a code and what touches it: outside of the pairs that end or start between. */
  #insert(at: number, step: Step, text: string): void {
    const isOutside = (i: number, kind: string) =>
      this.#tags.has(this.list[i] ?? '') && kindAt(this.list[i] as string) === kind;
    let place = step < 0 ? at : at + 1;
    if (step < 0) while (isOutside(place - 1, 'open')) place--;
    else while (isOutside(place, 'close')) place++;
    this.list.splice(place, 0, ...text);
  }
}

/** Most rounds over all codes; a space that moves may need another round. */
const maxRounds = 4;

/** A translation with the codes of `source`, with spaces around them as there. */
export function withSpacing({ text, codes }: InlineText, translation: string): string {
  if (codes.size === 0) return translation;
  const spacing = new Spacing(text, translation);
  const own = spacing.list.filter((c) => codes.has(c));
  for (let [round, before] = [0, '']; round < maxRounds && before !== spacing.list.join(''); round++) {
    before = spacing.list.join('');
    for (const code of own) {
      spacing.fix(code, -1);
      spacing.fix(code, 1);
    }
  }
  return spacing.list.join('');
}

/** A translation in which no single code touches a character: what it means does not depend on what is next to it. */
export function isolated(translation: string): string {
  return translation
    .replace(/([^\s\ue800-\uf7ff])(?=[\ue000-\ue7ff])/g, '$1 ')
    .replace(/([\ue000-\ue7ff])(?=[^\s\ue800-\uf7ff])/g, '$1 ');
}

/** The inner sides of the pairs of a text at which a single code is. */
function innerCodes(
  list: readonly string[],
  tags: ReadonlySet<string>,
): { readonly tag: string; readonly code: string; readonly step: Step }[] {
  return list.flatMap((tag, at) => {
    if (!tags.has(tag)) return [];
    const step = kindAt(tag) === 'open' ? 1 : -1;
    const { kind, text, across } = sideOf(list, tags, at, step);
    return kind === 'code' && across === undefined ? [{ tag, code: text, step }] : [];
  });
}

/** Whether a word is at a side of a code, with or without a space. */
function hasWordInside(list: readonly string[], tags: ReadonlySet<string>, tag: string, step: Step): boolean {
  let side = sideOf(list, tags, list.indexOf(tag), step);
  while (side.kind === 'space') side = sideOf(list, tags, side.at, step);
  return isWord(side);
}

/** Moves the single codes that begin or end a pair to its begin or end in a translation, if a word is there. */
export function withInnerCodes(source: string, translation: string): string {
  const [own, list] = [Array.from(source), Array.from(translation)];
  const tags = tagsOf(own);
  for (const { tag, code, step } of innerCodes(own, tags)) {
    if (!list.includes(tag) || !list.includes(code) || !hasWordInside(list, tags, tag, step)) continue;
    list.splice(list.indexOf(code), 1);
    const place = list.indexOf(tag) + (step > 0 ? 1 : 0);
    list.splice(place, 0, ...(step > 0 ? [code, ' '] : [' ', code]));
  }
  return list.join('').replace(/ {2,}/g, ' ');
}

/** Whether no word is at the inner side of a pair at which the source has a single code. */
export function keepsInnerCodes(source: string, translation: string): boolean {
  const [own, list] = [Array.from(source), Array.from(translation)];
  const tags = tagsOf(own);
  return innerCodes(own, tags).every(
    ({ tag, step }) => !list.includes(tag) || !hasWordInside(list, tags, tag, step),
  );
}

/** Brackets and quotes before a code, and behind it. */
const [openBrackets, closeBrackets] = [/[([“«]/, /[)\]”»]/];

/**
 * Whether what is beside each code of a translation is what may be there by its source: no word and no code that the
 * source keeps apart, no space inside of a pair that has none, and the bracket or quote that only the code has.
 */
export function keepsNeighbours({ text: source }: InlineText, translation: string): boolean {
  const [own, list] = [Array.from(source), Array.from(translation)];
  const tags = tagsOf(own);
  return own.every((code, from) => {
    if (!kindAt(code)) return true;
    const at = list.indexOf(code);
    return ([-1, 1] as const).every((step) => {
      const [before, now] = [sideOf(own, tags, from, step), sideOf(list, tags, at, step)];
      if (tags.has(code)) {
        const isInner = kindAt(code) === (step > 0 ? 'open' : 'close');
        if (isInner && isPartner(code, list[at + step])) return true;
        if (isInner && isSpace(list[at + step] ?? '') && !isSpace(own[from + step] ?? '')) return false;
        const isFree = before.across !== undefined && (before.kind === 'code' || before.kind === 'space');
        return isFree || !isWord(now) || isSimilar(before, now, true);
      }
      const bracket = own[from + step] ?? '';
      const isAlone = /^\s?$/.test(own[from + 2 * step] ?? '');
      if (isAlone && (step < 0 ? openBrackets : closeBrackets).test(bracket) && now.text !== bracket)
        return false;
      return isWord(now) ? isSimilar(before, now, false) : now.kind !== 'code' || before.kind === 'code';
    });
  });
}
