// Subtitles (SRT and WebVTT) as documents: a unit for each cue, with a segment for each speaker. Numbers, times, settings,
// notes, styles, dashes and line breaks stay.

import { HeddleError } from '../../core/errors.ts';
import { placeholderOf } from '../../text/placeholders.ts';
import type { DocumentUnit, Edit, ParseDocument } from './document.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { type InlineCode, type InlineText, inlineText } from './inline/inline-text.ts';
import { wordSpans } from './inline/place-codes.ts';
import { shownText } from './segment-checks.ts';

const timing = /^\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}\s*-->/;

/** Breaks a text into at most `count` lines of similar lengths: at spaces, without spaces between words. */
function wrap(text: string, count: number): string[] {
  const lines: string[] = [];
  let rest = text;
  for (let left = count; left > 1; left--) {
    const wanted = rest.length / left;
    const breaks = breaksIn(rest);
    const best = breaks.reduce<number | undefined>(
      (a, b) => (a === undefined || Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a),
      undefined,
    );
    if (best === undefined) break;
    lines.push(rest.slice(0, best));
    rest = rest.slice(best).replace(/^ /, '');
  }
  return [...lines, rest];
}

/** Where a line may end: at its spaces; in a text without spaces, such as Japanese, between words. */
function breaksIn(text: string): number[] {
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index);
  const all = spaces.length > 0 ? spaces : wordSpans(text).map(({ start }) => start);
  const isBetweenLetters = (at: number) =>
    spaces.length > 0 || /^\p{Lo}{2}$/u.test(text.slice(at - 1, at + 1));
  return all.filter((at) => at > 0 && isBetweenLetters(at) && !isInTag(text, at));
}

/** Whether an offset is inside of `<...>`. */
const isInTag = (text: string, at: number): boolean => text.lastIndexOf('<', at) > text.lastIndexOf('>', at);

/** What stays at the ends of a text, and the text between. */
interface Peeled {
  readonly lead: string;
  readonly body: string;
  readonly trail: string;
}

/** The dash of a speaker, notes of a song, an override of position. */
const leading = /^(?:\s+|[-–—]+(?![-–—\d])|[♪♫♬♩]+|#(?=\s)|\{\\[^{}]*\})/;
const trailing = /[\s♪♫♬♩]+$/;

function peel(text: string): Peeled {
  let [lead, body] = ['', text];
  for (let [front] = leading.exec(body) ?? ['']; front !== ''; [front] = leading.exec(body) ?? ['']) {
    lead += front;
    body = body.slice(front.length);
  }
  const end = body.replace(trailing, '').length;
  return { lead, body: body.slice(0, end), trail: body.slice(end) };
}

/** Whether each tag of a text has its closing tag in it. */
function isClosed(text: string): boolean {
  const open: string[] = [];
  for (const [, slash, name = ''] of text.matchAll(/<(\/?)([A-Za-z]\w*)[^<>]*>/g))
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return false;
  return open.length === 0;
}

/** A line that starts a text of its own: of another speaker, or of a song. */
const startsText = /^\s*(?:<[^<>]*>|\{\\[^{}]*\}|\s)*(?:[-–—](?!\d)|[♪♫♬♩])/;
const endsSong = /[♪♫♬♩]\s*(?:<[^<>]*>|\s)*$/;

/** The text of lines with the notes of songs, and the dash in the tags of a whole line, as codes. */
function textOf(content: string): InlineText {
  const codes = new Map<string, InlineCode>();
  const code = (raw: string): string => {
    const placeholder = placeholderOf('single', codes.size);
    codes.set(placeholder, { kind: 'single', raw, isText: false, isOrdered: false });
    return placeholder;
  };
  const text = content
    .replace(/[\ue000-\uf8ff]/g, '')
    .replace(/[♪♫♬♩]+/g, code)
    .replace(/^((?:<[^<>]*>\s*)+)([-–—]+)(?!\d)/, (_, tags: string, dash: string) => tags + code(dash));
  return inlineText(text, anyCodes, codes);
}

/** Parses subtitles. */
export const parseSubtitles: ParseDocument = (text, name) => {
  const units: DocumentUnit[] = [];
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines: { start: number; content: string }[] = [];
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    lines.push({ start: at, content: text.slice(at, end).replace(/\r$/, '') });
    at = end + 1;
  }
  for (let i = 0; i < lines.length; i++) {
    if (!timing.test(lines[i]?.content ?? '')) continue;
    const time = lines[i]?.content.trim() ?? '';
    const cue: typeof lines = [];
    for (let next = lines[i + 1]; next && next.content.trim() !== ''; next = lines[i + 1]) {
      cue.push(next);
      i++;
    }
    if (cue.length === 0) continue;
    // A text in several lines is one text. The line of another speaker, or of a song, is a text of its own.
    const texts: (typeof lines)[] = [];
    for (const [n, line] of cue.entries()) {
      const before =
        texts
          .at(-1)
          ?.map(({ content }) => content)
          .join(' ') ?? '';
      const starts = startsText.test(line.content) || endsSong.test(before);
      if (n === 0 || (starts && isClosed(before))) texts.push([line]);
      else texts.at(-1)?.push(line);
    }
    const peeled = texts.map((own) => peel(own.map(({ content }) => content.trim()).join(' ')));
    const sources = peeled.map(({ body }) => textOf(body));
    units.push({
      name: time.replace(/\s*-->.*/, ''),
      segments: sources.map((source) => ({ source, isTranslated: false })),
      edits: (translations) =>
        translations.flatMap((translation, n): Edit[] => {
          const [own, source, around] = [texts[n], sources[n], peeled[n]];
          const [first, last] = [own?.[0], own?.at(-1)];
          if (!translation || !own || !source || !around || !first || !last) return [];
          const written = shownText(translation.text, source).trim();
          const wrapped = wrap(`${around.lead}${written}${around.trail}`, own.length);
          const [start, end] = [first.start, last.start + last.content.length];
          return [{ start, end, text: wrapped.join(newline) }];
        }),
    });
  }
  if (units.length === 0 && !/^\ufeff?WEBVTT/.test(text))
    throw new HeddleError('no subtitles: there is no line with times, 00:00:01,000 --> 00:00:02,000', {
      area: name,
    });
  return { text, units };
};
