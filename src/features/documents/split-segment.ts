// The sentences of a segment, for models that were trained on sentences: lines that are items of their own, and in
// them sentences by Intl.Segmenter. All white space around them is kept.

import { splitSentences } from '../../text/sentences.ts';

/** Parts of a segment, and how their translations are joined. */
export interface SegmentParts {
  readonly sentences: readonly string[];
  join(translations: readonly string[]): string;
}

/** Whether the line break between two lines is only a wrap of a sentence. */
const isWrap = (before: string, after: string): boolean =>
  before.length >= 30 &&
  /[\p{L}\p{N},;\ue000-\uf7ff]$/u.test(before) &&
  /^[\p{Ll}\p{Lo}\p{N}\ue000-\uf7ff]/u.test(after);

/** A line that is translated on its own. */
interface Line {
  line: string;
  /** White space after the line. */
  space: string;
  /** Line breaks that only wrap a sentence: the offset of each in the line, and its white space. */
  readonly wraps: { readonly at: number; readonly space: string }[];
}

/** Whether a bracket or quote touches the code between two lines. */
const isHeld = ({ line, space }: Line, next: string): boolean =>
  /[\ue000-\uf7ff]/.test(space) &&
  ((/[^\p{L}\p{N}.,;:!?…\s\ue800-\uf7ff]$/u.test(line) && !/^\s/.test(space)) ||
    (/^[^\p{L}\p{N}\s\ue800-\uf7ff]/u.test(next) && !/\s$/.test(space)));

/** The lines of a text that are translated on their own. `breaks`: codes that break lines. */
function linesOf(text: string, breaks: string): Line[] {
  const out: Line[] = [];
  const lineBreak = breaks === '' ? /(\s*\n\s*)/ : new RegExp(`(\\s*(?:[\\n${breaks}]\\s*)+)`);
  const parts = text.split(lineBreak);
  for (let i = 0; i < parts.length; i += 2) {
    const [line = '', space = ''] = [parts[i], parts[i + 1]];
    const last = out.at(-1);
    const wraps = last && isWrap(last.line, line);
    if (last && wraps && /^[ \t]*\r?\n[ \t]*$/.test(last.space)) {
      last.wraps.push({ at: last.line.length, space: last.space });
      last.line += ` ${line}`;
      last.space = space;
    } else if (last && ((wraps && last.space.trim().length === 1) || isHeld(last, line))) {
      // A code in the middle of a sentence, or with its brackets and quotes.
      last.line += last.space.replace('\n', ' ') + line;
      last.space = space;
    } else out.push({ line, space, wraps: [] });
  }
  return out;
}

/** A translation of a line with its line breaks: each at the nearest space. Without spaces between words there are none. */
function wrapped(text: string, { line, wraps }: Line): string {
  let out = text;
  let from = 0;
  for (const { at, space } of wraps) {
    const wanted = (at / line.length) * text.length;
    const spaces = [...out.slice(from).matchAll(/(?<=\S) (?=\S)/g)].map(({ index }) => from + index);
    const [best] = spaces.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
    if (best === undefined) break;
    out = out.slice(0, best) + space + out.slice(best + 1);
    from = best + space.length;
  }
  return out;
}

/** The words between the codes of a text, without the numbers, marks and spaces that touch a code. */
export function splitAtCodes(text: string): SegmentParts {
  const words = /\p{L}(?:[^\ue000-\uf7ff]*[\p{L}\p{M}])?/gu;
  const found = [...text.matchAll(words)];
  return {
    sentences: found.map(([piece]) => piece),
    join(translations) {
      let n = 0;
      return text.replace(words, (own) => translations[n++]?.trim() || own);
    },
  };
}

/** A boundary between the parts of a sentence, in texts with and without spaces between words. */
const boundaries = [/(?<=[,;:–—、，；：،؛][”»"')\]]?)\s*(?=\S)/gu, /\s+(?=\S)/gu, /(?<=\p{Lo})(?=\p{Lo})/gu];

/** The halves of a sentence that a model cannot translate as a whole; undefined for a single word. */
export function halvesOf(text: string): SegmentParts | undefined {
  for (const [n, boundary] of boundaries.entries()) {
    const found = [...text.matchAll(boundary)].filter(({ index, 0: space }) => {
      const [a, b] = [index, text.length - index - space.length];
      // A comma near an end does not make halves.
      return a > 0 && b > 0 && (n > 0 || Math.min(a, b) > text.length / 5);
    });
    const distance = (at: number): number => Math.abs(at - text.length / 2);
    const [best] = found.sort((a, b) => distance(a.index) - distance(b.index));
    if (!best) continue;
    const [before, space, after] = [
      text.slice(0, best.index),
      best[0],
      text.slice(best.index + best[0].length),
    ];
    return {
      sentences: [before, after],
      join: (translations) => translations.join(space || (n === 2 ? '' : ' ')),
    };
  }
  return undefined;
}

/** The dash or number of an item of a list, or of a speaker. */
const marker = /^(?:[-–—•*·]|\d{1,3}[.)])\s+/;

/** What ends with the sentence before it: codes that close a pair, with the quotes and brackets between them. */
const tail = /^[\uf000-\uf7ff"'”’»)\]]*[\uf000-\uf7ff][”’»)\]]*/;

/** The sentences of a line. Between two of them is the space of the line; behind a full-width mark, a space. */
function sentencesIn(line: string): SegmentParts {
  const all: { text: string; space: string }[] = [];
  let at = 0;
  for (const sentence of splitSentences(line).sentences) {
    const start = line.indexOf(sentence, at);
    const last = all.at(-1);
    if (last) last.space = line.slice(at, start);
    at = start + sentence.length;
    const closes = last?.space === '' ? (tail.exec(sentence)?.[0] ?? '') : '';
    if (last) last.text += closes;
    const rest = sentence.slice(closes.length);
    const text = rest.trimStart();
    if (last) last.space += rest.slice(0, rest.length - text.length);
    if (text !== '') all.push({ text, space: '' });
  }
  const spaceOf = ({ text, space }: (typeof all)[number], isLast: boolean): string =>
    space === '' && !isLast && /[。！？…][”’」』）]?$/u.test(text) ? ' ' : space;
  return {
    sentences: all.map(({ text }) => text),
    join: (translations) =>
      all.map((one, i) => translations[i] + spaceOf(one, i === all.length - 1)).join(''),
  };
}

/** Splits a segment into sentences. `breaks`: codes that break lines, such as `<br>`. */
export function splitSegment(text: string, breaks = ''): SegmentParts {
  const lead = /^\s*/.exec(text)?.[0] ?? '';
  const trail = /\s*$/.exec(text.slice(lead.length))?.[0] ?? '';
  const lines = linesOf(text.slice(lead.length, text.length - trail.length), breaks).map((line) => {
    const item = marker.exec(line.line)?.[0] ?? '';
    return { item, split: sentencesIn(line.line.slice(item.length)), line };
  });
  return {
    sentences: lines.flatMap(({ split }) => split.sentences),
    join(translations) {
      let at = 0;
      const joined = lines.map(({ item, split, line }) => {
        const own = translations.slice(at, at + split.sentences.length);
        at += split.sentences.length;
        return wrapped(item + split.join(own), line) + line.space;
      });
      return lead + joined.join('') + trail;
    },
  };
}
