// 10,000 drawn segments through every format: none is empty, loses a code, or has codes in a wrong order or nesting. The
// space or bracket beside a code is wrong in at most 1 of 1,000. HEDDLE_SEED=N with drawn-documents.test.ts repeats a document.
import { expect, it } from 'vitest';
import { drawnFormats } from './drawn-formats.ts';
import { segmentsOfDocument, translateDrawn } from './translate-drawn.ts';

/** Problems of what is beside a code; all others are errors. */
const isBeside = (problem: string): boolean =>
  /: (?:a (?:code|letter) (?:before|behind) |a space (?:inside of|at) |no [^ \w] at )/.test(problem);

for (const name of Object.keys(drawnFormats))
  it(`${name}: 10,000 drawn segments`, { timeout: 600_000 }, async () => {
    const problems: string[] = [];
    for (let seed = 1001; seed <= 1000 + 10_000 / segmentsOfDocument; seed++)
      problems.push(...(await translateDrawn(name, seed)));
    expect(problems.filter((problem) => !isBeside(problem)).slice(0, 10)).toEqual([]);
    expect(problems.length, problems.slice(0, 10).join('\n')).toBeLessThanOrEqual(10);
  });
