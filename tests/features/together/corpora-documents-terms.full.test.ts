// Terms of a glossary take the place of the words that the model of the front page has for them. A glossary's author takes
// terms from translations, so BLEU is compared with terms that the references have. To terms that they do not have, the
// references are adapted without their articles and adjectives, of another gender. Without ../shared the tests are skipped by name.
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { glossaryFigures } from '../../../bench/codes/measure-glossary.ts';
import { loadModel } from '../../../src/entries/heddle.node.ts';

const pairs = '../shared/data/tatoeba-en-es/dev.tsv';

const glossary = 'bench/codes/terms-en-es.tsv';

it.skipIf(!existsSync(pairs)).each([
  ['that the references have: BLEU rises by one at least', 'references', 1],
  ['other than those of the model', 'others', -2],
] as const)(
  '500 sentences with 30 terms %s; at most 2 % have a term beside another word',
  { timeout: 600_000 },
  async (_, kind, gain) => {
    using model = await loadModel('demo/models/en-es-general.safetensors');
    const [plain, made] = await glossaryFigures(model, pairs, glossary, 500, kind);
    const { sentences = 0, placed, terms, doubled, bleuOfTerms = 0 } = made ?? {};
    // 475 references have a word of the glossary for a term of their source.
    expect(sentences).toBeGreaterThan(470);
    expect(placed).toBe(terms);
    expect(doubled).toBeLessThanOrEqual(sentences / 50);
    expect(bleuOfTerms).toBeGreaterThan((plain?.bleu ?? 100) + gain);
  },
);
