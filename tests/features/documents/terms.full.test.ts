// Terms of a glossary for which the model of the front page has other words: they take the place of these. Without
// ../shared the test is skipped by name.
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { glossaryFigures } from '../../../bench/codes/measure-glossary.ts';
import { loadModel } from '../../../src/entries/heddle.node.ts';

const pairs = '../shared/data/tatoeba-en-es/dev.tsv';

it.skipIf(!existsSync(pairs))(
  '500 sentences with 30 terms: at most 2 % have a term beside another word, and BLEU is not worse',
  { timeout: 600_000 },
  async () => {
    using model = await loadModel('demo/models/en-es-general.safetensors');
    const [plain, made] = await glossaryFigures(model, pairs, 'bench/codes/terms-en-es.tsv', 500);
    expect(made?.sentences).toBe(500);
    expect(made?.placed).toBe(made?.terms);
    expect(made?.doubled).toBeLessThanOrEqual(10);
    // To references that have the terms, as good as the translations without terms to those that have none.
    expect(made?.bleuOfTerms).toBeGreaterThan((plain?.bleu ?? 100) - 1);
  },
);
