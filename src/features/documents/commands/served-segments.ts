// heddle serve: texts with inline codes, and HTML.

import type { ServedTexts } from '../../../commands/serve/served-texts.ts';
import { openDocument } from '../document-formats.ts';
import { anyCodes } from '../inline/code-patterns.ts';
import { inlineText, renderText } from '../inline/inline-text.ts';
import { splitSegment } from '../split-segment.ts';
import { translateDocument } from '../translate-document.ts';
import { translateSegments } from '../translate-segments.ts';

/** Texts as segments: codes keep their places, and HTML is a document. */
export const servedSegments: ServedTexts = {
  split: splitSegment,
  async text(model, text) {
    const source = inlineText(text, anyCodes);
    const [made] = await translateSegments(model, [source]);
    return renderText(made?.text ?? text, source.codes);
  },
  async html(model, text) {
    const bytes = new TextEncoder().encode(text);
    const document = await openDocument(bytes, 'html', { format: 'html', encoding: 'utf-8' });
    let out = '';
    for await (const part of translateDocument(model, document)) out += part.text;
    return out;
  },
};
