// Subtitles (SRT and WebVTT) as documents: a unit for the text of each cue. Numbers, times, settings, notes and
// styles stay.

import { HeddleError } from '../../core/errors.ts';
import type { DocumentUnit, ParseDocument } from './document.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { inlineText, renderText } from './inline/inline-text.ts';

const timing = /^\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}\s*-->/;

/** Breaks a text into at most `count` lines of similar lengths. */
function wrap(text: string, count: number): string[] {
  const lines: string[] = [];
  let rest = text;
  for (let left = count; left > 1 && rest.includes(' '); left--) {
    const wanted = rest.length / left;
    const spaces = [...rest.matchAll(/ /g)].map(({ index }) => index).filter((at) => !isInTag(rest, at));
    const best = spaces.reduce<number | undefined>(
      (a, b) => (a === undefined || Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a),
      undefined,
    );
    if (best === undefined) break;
    lines.push(rest.slice(0, best));
    rest = rest.slice(best + 1);
  }
  return [...lines, rest];
}

/** Whether an offset is inside of `<...>`. */
const isInTag = (text: string, at: number): boolean => text.lastIndexOf('<', at) > text.lastIndexOf('>', at);

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
    const [first, last] = [cue[0], cue.at(-1)];
    if (!first || !last) continue;
    // Lines of a dialogue are texts of their own; others are one text in several lines.
    const isDialogue = cue.every(({ content }) => /^\s*(?:<[^>]*>)?\s*[-–—]/.test(content));
    const content = cue.map((line) => line.content.trim()).join(isDialogue ? '\n' : ' ');
    const source = inlineText(content, anyCodes);
    const [start, end] = [first.start, last.start + last.content.length];
    units.push({
      name: time.replace(/\s*-->.*/, ''),
      segments: [{ source, isTranslated: false }],
      edits([translation]) {
        if (!translation) return [];
        const written = renderText(translation.text, source.codes).trim();
        const wrapped = isDialogue ? written.split(/\r?\n/) : wrap(written, cue.length);
        return [{ start, end, text: wrapped.join(newline) }];
      },
    });
  }
  if (units.length === 0 && !/^\ufeff?WEBVTT/.test(text))
    throw new HeddleError('no subtitles: there is no line with times, 00:00:01,000 --> 00:00:02,000', {
      area: name,
    });
  return { text, units };
};
