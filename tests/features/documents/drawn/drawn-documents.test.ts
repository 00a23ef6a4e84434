// Some hundreds of drawn segments through every format; 10,000 are in npm run test:full.
import { expect, it } from 'vitest';
import { drawnFormats } from './drawn-formats.ts';
import { segmentsOfDocument, translateDrawn } from './translate-drawn.ts';

const given = process.env.HEDDLE_SEED;
const seeds =
  given === undefined ? Array.from({ length: 240 / segmentsOfDocument }, (_, i) => 1 + i) : [Number(given)];

for (const name of Object.keys(drawnFormats))
  it(`${name}: no drawn segment is left empty, and codes keep their neighbours`, async () => {
    const problems: string[] = [];
    for (const seed of seeds) problems.push(...(await translateDrawn(name, seed)));
    expect(problems.slice(0, 10)).toEqual([]);
  });
