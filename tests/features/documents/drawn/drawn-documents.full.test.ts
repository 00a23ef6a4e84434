// 10,000 drawn segments through every format. HEDDLE_SEED=N draws others, from that seed on; with
// drawn-documents.test.ts it repeats one document.
import { expect, it } from 'vitest';
import { drawnFormats } from './drawn-formats.ts';
import { segmentsOfDocument, translateDrawn } from './translate-drawn.ts';

const first = Number(process.env.HEDDLE_SEED ?? 1001);

for (const name of Object.keys(drawnFormats))
  it(`${name}: 10,000 drawn segments`, { timeout: 600_000 }, async () => {
    const problems: string[] = [];
    for (let seed = first; seed < first + 10_000 / segmentsOfDocument; seed++)
      problems.push(...(await translateDrawn(name, seed)));
    expect(problems.slice(0, 10)).toEqual([]);
  });
