// Groups of codes: a code with the brackets, quotes, marks, digits and codes that touch it, such as `(%d` or `“%s”`. A
// model does not see a group that is placed by alignment, so what touches a code stays with it.

import { placeholderAt, placeholderOf } from '../../../text/placeholders.ts';
import type { InlineText } from './inline-text.ts';

/** A group in a text. */
export interface CodeGroup {
  readonly start: number;
  readonly end: number;
  /** End of what the model does not see: behind an English `'s`, which is no part of the group. */
  readonly hiddenEnd: number;
  /** One of its codes, which stands for the group while it is placed: one that keeps its order, if there is one. */
  readonly code: string;
}

/** The partner of a code of a pair; undefined for a single code. */
function partnerOf(code: string): string | undefined {
  const { kind, index } = placeholderAt(code) ?? { kind: 'single', index: 0 };
  return kind === 'single' ? undefined : placeholderOf(kind === 'open' ? 'close' : 'open', index);
}

/** Whether a character is a code of a pair whose other code is in the text, too. */
export function isPaired({ text, codes }: InlineText, code: string): boolean {
  const partner = partnerOf(code);
  return partner !== undefined && codes.has(code) && codes.has(partner) && text.includes(partner);
}

/** Marks that end a part of a sentence. */
const ending = '.,;:!?…。、，；：！？।؟،؛';
const [leadingMarks, trailingMarks, openers] = [
  new RegExp(String.raw`^[${ending})\]}»”’]+`, 'u'),
  new RegExp(`[${ending}]+$`, 'u'),
  /[([{“«‘¿¡]+$/u,
];
const letter = /[\p{L}\p{M}]/u;

/** Parts of a run without pairs that leave it. */
function partsOf(source: InlineText, from: number, to: number): [from: number, to: number][] {
  const { text } = source;
  for (let i = from; i < to; i++) {
    const code = text[i] as string;
    if (!isPaired(source, code)) continue;
    const partner = text.indexOf(partnerOf(code) as string);
    if (partner < from || partner >= to) return [...partsOf(source, from, i), ...partsOf(source, i + 1, to)];
  }
  return [[from, to]];
}

/** The groups of a text, in order. Codes of pairs are in a group only with all that is between them. */
export function codeGroups(source: InlineText): CodeGroup[] {
  const { text, codes } = source;
  const runs = [...text.matchAll(/[^\s\p{L}\p{M}]+/gu)];
  return runs.flatMap(({ index, 0: run }) =>
    partsOf(source, index, index + run.length).flatMap(([from, to]): CodeGroup[] => {
      const singles = [...text.slice(from, to)].filter((c) => codes.has(c) && !isPaired(source, c));
      const [first] = singles;
      if (first === undefined) return [];
      const code = singles.find((c) => codes.get(c)?.isOrdered) ?? first;
      const [before, after] = [text.slice(0, from), text.slice(to)];
      const [touchesBefore, touchesAfter] = [
        letter.test(before.slice(-1)),
        letter.test(String.fromCodePoint(after.codePointAt(0) ?? 32)),
      ];
      let [start, end] = [from, to];
      if (touchesBefore) start += leadingMarks.exec(text.slice(start, end))?.[0].length ?? 0;
      if (touchesAfter) end -= openers.exec(text.slice(start, end))?.[0].length ?? 0;
      else if (letter.test(before)) end -= trailingMarks.exec(text.slice(start, end))?.[0].length ?? 0;
      const isPossessive = /[\ue000-\uf7ff]['’]$/.test(text.slice(start, end)) && /^s(?!\p{L})/u.test(after);
      return [
        isPossessive
          ? { start, end: end - 1, hiddenEnd: end + 1, code }
          : { start, end, hiddenEnd: end, code },
      ];
    }),
  );
}

/** A text without its groups and codes, and the place in it of each code. */
export interface PlainText {
  readonly text: string;
  readonly offsets: ReadonlyMap<string, number>;
}

/** What a model gets if all codes are placed by alignment. Where a group is gone, words stay apart. */
export function plainText(source: InlineText, groups: readonly CodeGroup[] = codeGroups(source)): PlainText {
  const { text, codes } = source;
  const starts = new Map(groups.map((group) => [group.start, group]));
  const places = new Map<string, number>();
  let [out, hasGap] = ['', false];
  // `out` is not asked for its last character: that copies a text that has just grown.
  let endsWithSpace = true;
  for (let i = 0; i < text.length; ) {
    const [group, character] = [starts.get(i), text[i] as string];
    if (group || codes.has(character)) {
      const place = group ? out.trimEnd().length : out.length;
      for (const code of text.slice(i, group?.end ?? i + 1)) if (codes.has(code)) places.set(code, place);
      hasGap ||= group !== undefined;
      i = group?.hiddenEnd ?? i + 1;
      continue;
    }
    i++;
    if (/\s/.test(character)) {
      if (!endsWithSpace) out += character;
      endsWithSpace = true;
      continue;
    }
    const isMark = /[.,;:!?)\]}…]/.test(character);
    if (hasGap && isMark) out = out.trimEnd();
    else if (hasGap && !endsWithSpace) out += ' ';
    [hasGap, endsWithSpace] = [false, false];
    out += character;
  }
  const plain = out.trimEnd();
  return {
    text: plain,
    offsets: new Map([...places].map(([code, at]) => [code, Math.min(at, plain.length)])),
  };
}

/** Whether a translation keeps what touches the codes of each group: quotes of any kind, brackets, other codes. */
export function keepsGroups(source: InlineText, translation: string): boolean {
  const bare = (text: string) => text.replace(/["'“”„‘’‚«»‹›「」『』]/g, '"');
  const kept = bare(translation);
  return codeGroups(source).every(({ start, end }) => {
    const group = source.text.slice(start, end).replace(leadingMarks, '').replace(trailingMarks, '');
    return kept.includes(bare(group));
  });
}
