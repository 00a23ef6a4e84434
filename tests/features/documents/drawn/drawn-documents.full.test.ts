// 10,000 drawn segments through every format. HEDDLE_SEED=N with drawn-documents.test.ts repeats a document.
import { expect, it } from 'vitest';
import { drawnFormats } from './drawn-formats.ts';
import { segmentsOfDocument, translateDrawn } from './translate-drawn.ts';

for (const name of Object.keys(drawnFormats))
  it(`${name}: 10,000 drawn segments`, { timeout: 600_000 }, async () => {
    const problems: string[] = [];
    for (let seed = 1001; seed <= 1000 + 10_000 / segmentsOfDocument; seed++)
      problems.push(...(await translateDrawn(name, seed)));
    expect(problems.slice(0, 10)).toEqual([]);
  });
