// Measures what documents cost beside the model if a text has no code and no term: the time outside of
// `model.generate`, and whether the model gets the same calls and gives the same translations as by
// `model.translate`.

import { readFileSync } from 'node:fs';
import type { Model } from '../../src/api/model.ts';
import { openDocument } from '../../src/features/documents/document-formats.ts';
import { Glossary } from '../../src/features/documents/glossary.ts';
import { translateDocument } from '../../src/features/documents/translate-document.ts';
import type { SentenceModel } from '../../src/features/documents/translate-segments.ts';

/** Measures a model on the sources of a file of pairs, at most `count`, each a paragraph; prints the figures. */
export async function measureOverhead(model: Model, file: string, count: number): Promise<void> {
  const sources = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => line.split('\t')[0] || [])
    .slice(0, count);
  const text = sources.join('\n\n');
  let [inside, demands] = [0, 0];
  const timed: SentenceModel = {
    tokenizers: model.tokenizers,
    async generate(texts, options) {
      if (options?.phrases?.some(({ length }) => length > 0) || options?.placeholders || options?.attention)
        demands++;
      const begin = performance.now();
      const found = await model.generate(texts, options);
      inside += performance.now() - begin;
      return found;
    },
  };
  // Terms that no text has: looking for them is part of the time.
  const glossary = new Glossary(
    Array.from({ length: 500 }, (_, i) => ({ source: `zzq${i} term`, target: `x${i}` })),
  );
  const translate = async () => {
    const document = await openDocument(new TextEncoder().encode(text), 'a.txt');
    let out = '';
    for await (const part of translateDocument(timed, document, { glossary })) out += part.text;
    return out;
  };
  await translate(); // plans and kernels
  inside = 0;
  demands = 0;
  const begin = performance.now();
  const made = await translate();
  const total = performance.now() - begin;
  const outside = total - inside;
  console.log(`${sources.length} paragraphs without codes, 500 terms of which none occurs`);
  console.log(
    `time  ${(total / 1000).toFixed(2)} s, of which ${(outside / 1000).toFixed(3)} s outside of the model`,
  );
  console.log(
    `lost  ${((100 * outside) / total).toFixed(2)} %, ${((1000 * outside) / sources.length).toFixed(0)} µs for a paragraph`,
  );
  console.log(`calls of the model with constraints or attention: ${demands}`);
  console.log(`characters of the output: ${made.length}`);
}
