// Translates documents of drawn segments and reports what is wrong with them. A seed repeats a document:
//   HEDDLE_SEED=123 npx vitest run --project cpu tests/features/documents/drawn

import { openDocument } from '../../../../src/features/documents/document-formats.ts';
import { translateDocument } from '../../../../src/features/documents/translate-document.ts';
import { type DrawnFormat, drawnFormats } from './drawn-formats.ts';
import { type DrawnLanguage, drawModel, languages } from './drawn-model.ts';
import { Dice, drawSegment, hasWords, writtenText } from './drawn-segments.ts';
import { problemsOf } from './segment-checks-of-drawn.ts';

/** Segments of a document. */
export const segmentsOfDocument = 20;

/** Translates the document of a seed; returns what is wrong with it, in lines. */
export async function translateDrawn(name: string, seed: number): Promise<string[]> {
  const format = drawnFormats[name] as DrawnFormat;
  const dice = new Dice(seed);
  const language = dice.of(Object.keys(languages) as DrawnLanguage[]);
  const model = drawModel(dice, language);
  const segments = Array.from({ length: segmentsOfDocument }, () => drawSegment(dice, format)).filter(
    (parts) => hasWords(parts) && (format.file !== 'a.txt' || writtenText(parts).trim() !== ''),
  );
  const file = format.write(segments.map(writtenText));
  const document = await openDocument(new TextEncoder().encode(file), format.file, { targetLang: language });
  let out = '';
  for await (const part of translateDocument(model, document, { targetLang: language })) out += part.text;
  const targets = format.read(out);
  const lines =
    targets.length === segments.length
      ? []
      : [`${targets.length} translations of ${segments.length} segments`];
  for (const [i, parts] of segments.entries())
    for (const problem of problemsOf(parts, targets[i] ?? '', {
      read: format.unescape,
      isOrderKept: format.isOrderKept,
    }))
      lines.push(`${problem}: ${JSON.stringify(writtenText(parts))} -> ${JSON.stringify(targets[i] ?? '')}`);
  return lines.map((line) => `seed ${seed}, ${language}: ${line}`);
}
