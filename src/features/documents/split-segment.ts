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

/** The lines of a text that are translated on their own, each with the white space behind it. */
function linesOf(text: string): { line: string; space: string }[] {
  const out: { line: string; space: string }[] = [];
  const parts = text.split(/(\s*\n\s*)/);
  for (let i = 0; i < parts.length; i += 2) {
    const [line = '', space = ''] = [parts[i], parts[i + 1]];
    const last = out.at(-1);
    const wraps = last && /^[ \t]*\r?\n[ \t]*$/.test(last.space) && isWrap(last.line, line);
    if (last && wraps) {
      last.line += ` ${line}`;
      last.space = space;
    } else out.push({ line, space });
  }
  return out;
}

/** The dash or number of an item of a list, or of a speaker. */
const marker = /^(?:[-–—•*·]|\d{1,3}[.)])\s+/;

/** Splits a segment into sentences. */
export function splitSegment(text: string): SegmentParts {
  const lead = /^\s*/.exec(text)?.[0] ?? '';
  const trail = /\s*$/.exec(text.slice(lead.length))?.[0] ?? '';
  const lines = linesOf(text.slice(lead.length, text.length - trail.length)).map(({ line, space }) => {
    const item = marker.exec(line)?.[0] ?? '';
    return { item, split: splitSentences(line.slice(item.length)), space };
  });
  return {
    sentences: lines.flatMap(({ split }) => split.sentences),
    join(translations) {
      let at = 0;
      const joined = lines.map(({ item, split, space }) => {
        const own = translations.slice(at, at + split.sentences.length);
        at += split.sentences.length;
        return item + split.join(own) + space;
      });
      return lead + joined.join('') + trail;
    },
  };
}
