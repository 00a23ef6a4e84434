// Plain text as a document: a unit for each paragraph, lines that are not blank.

import type { DocumentUnit, ParseDocument } from './document.ts';
import { anyCodes } from './inline/code-patterns.ts';
import { inlineText, renderText } from './inline/inline-text.ts';

/** Parses a text. */
export const parseTextDocument: ParseDocument = (text) => {
  const units: DocumentUnit[] = [];
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  let line = 1;
  let before = 0;
  // A paragraph ends before a line that is empty or has only spaces.
  for (const { index, 0: paragraph } of text.matchAll(/\S(?:[^\n]|\n(?![ \t\r]*(?:\n|$)))*/g)) {
    line += text.slice(before, index).split('\n').length - 1;
    before = index;
    const content = paragraph.trimEnd();
    const source = inlineText(content.replaceAll('\r\n', '\n'), anyCodes);
    const [start, end] = [index, index + content.length];
    units.push({
      name: `line ${line}`,
      line,
      segments: [{ source, isTranslated: false }],
      edits: ([translation]) =>
        translation
          ? [{ start, end, text: renderText(translation.text, source.codes).replace(/\r?\n/g, newline) }]
          : [],
    });
  }
  return { text, units };
};
