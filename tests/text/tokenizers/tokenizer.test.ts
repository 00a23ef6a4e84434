// All tokenizers: ids, decoding, special tokens, compared with Hugging Face's libraries.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/text/load-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { hasTatoeba, nativeIds, pageTokenizer, phrases, quixote, tatoebaSide } from '../../support/text.ts';
import { trainBpe, trainCharacters, trainWords } from '../../support/tokenizers.ts';

/** One of each kind, learned from `texts`. */
const kinds: Record<string, (texts: string[]) => Tokenizer> = {
  words: (texts) => trainWords(texts, { size: 500 }),
  'many words in lower case': (texts) => trainWords(texts, { size: 3000, lowercase: true }),
  characters: (texts) => trainCharacters(texts),
  'few characters': (texts) => trainCharacters(texts, { size: 30, lowercase: true }),
  'byte pairs': (texts) => trainBpe(texts, { size: 700 }),
  'byte pairs in lower case': (texts) => trainBpe(texts, { size: 2000, lowercase: true }),
};

const awkward = [
  '',
  '   ',
  '\t\u00a0\u202f\n',
  ' Two  spaces,\u00a0no-break\u202fones,\ttabs. ',
  'Cafe\u0301 = Café; ΑΣ Σ İSTANBUL Ǆ ﬁ',
  '日本語のテキスト、です。',
  'مرحبا بالعالم ١٢٣',
  '👩‍👩‍👧 emoji 𝒳𝒴 \ud83d\ude00!',
  "Don't, can’t, rock 'n' roll, O'Neill's — 'quoted'",
  '1,234.50 12:30 ½ x² 3rd 0x1F 2019-03-05',
  '▁already ▁marked▁',
  'a_b __proto__ constructor <b>&amp;</b> #tag @me $5 50% a/b\\c [x] {y} ~z `q` ^ |',
  '...?! ¿¡ «» “” ‘’ – —',
  '\ufeffwith a mark\ufeff',
  'x'.repeat(300),
];

describe.each(Object.entries(kinds))('%s', (_, train) => {
  const texts = [...quixote, ...phrases];
  const tokenizer = train(texts);

  it('decodes to the normalized text if all tokens are known', () => {
    for (const text of texts) {
      const ids = tokenizer.encode(text);
      if (!ids.includes(tokenizer.special.unknown))
        expect(tokenizer.decode(ids)).toBe(tokenizer.normalize(text));
    }
  });

  it('has the ids of @huggingface/tokenizers', () => {
    const page = pageTokenizer(tokenizer);
    for (const text of [...texts, ...awkward])
      expect(tokenizer.encode(text), text).toEqual(page.encode(text));
  });

  it('has the ids of the native tokenizers package', async () => {
    // Of case mappings of more than one letter, that package makes its own; `awkward` has a line of them.
    const all = [...texts, ...awkward.filter((text) => !text.includes('İ'))];
    const native = await nativeIds(tokenizer, all);
    for (const [i, text] of all.entries()) expect(tokenizer.encode(text), text).toEqual(native[i]);
  });

  it('decodes as @huggingface/tokenizers if all tokens are known', () => {
    const page = pageTokenizer(tokenizer);
    for (const text of texts) {
      const ids = tokenizer.encode(text);
      if (!ids.includes(tokenizer.special.unknown)) expect(page.decode(ids)).toBe(tokenizer.decode(ids));
    }
  });

  it('encodes any text to ids in range and decodes them, and none to special tokens but unknown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
        const ids = tokenizer.encode(text);
        for (const id of ids) expect(id >= 3 && id < tokenizer.size).toBe(true);
        expect(typeof tokenizer.decode(ids)).toBe('string');
        expect(tokenizer.encode(tokenizer.normalize(text))).toEqual(ids);
      }),
    );
  });

  it('has the special tokens at 0 to 3, and skips them in text', () => {
    expect(tokenizer.special).toEqual({ pad: 0, start: 1, end: 2, unknown: 3 });
    const ids = tokenizer.encode('En un lugar');
    expect(tokenizer.decode([1, ...ids, 2, 0, 0])).toBe(tokenizer.decode(ids));
  });

  it('rejects ids outside the vocabulary', () => {
    for (const id of [-1, 0.5, tokenizer.size])
      expect(() => tokenizer.decode([id])).toThrow(errorAbout({ area: 'tokenizer' }));
  });
});

it('round-trips any text of known characters', () => {
  const characters = [...new Set(quixote.join(''))].filter((char) => !'…'.includes(char));
  const bpe = trainBpe([...quixote, characters.join(' ')], { size: 700 });
  const chars = trainCharacters(quixote);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...characters) }), (text) => {
      expect(chars.decode(chars.encode(text))).toBe(chars.normalize(text));
      // A character may be known only behind a space: BPE has it as a letter all the same.
      expect(bpe.decode(bpe.encode(text))).toBe(bpe.normalize(text));
    }),
  );
});

it('decodes unknown words as [UNK] with spaces around', () => {
  const words = trainWords(['the cat sat.'], { size: 100, lowercase: true });
  expect(words.encode('The dog sat.')).toContain(words.special.unknown);
  expect(words.decode(words.encode('The dog sat.'))).toBe('the [UNK] sat.');
});

it('keeps the most frequent words, ties in code-point order', () => {
  const words = trainWords(['b b a c c', 'd a e'], { size: 8 });
  expect([4, 5, 6, 7].map(words.token)).toEqual(['▁a', '▁b', '▁c', '▁d']);
});

it('fills the vocabulary with unused tokens if asked to', () => {
  const options = { size: 12, fill: true };
  const words = trainWords(['b b a c c'], options);
  expect([words.size, trainWords(['b b a c c'], { ...options, fill: false }).size]).toEqual([12, 7]);
  expect([7, 11].map((id) => words.token(id))).toEqual(['[unused0]', '[unused4]']);
  const read = loadTokenizer(JSON.parse(JSON.stringify(words)));
  for (const tokenizer of [words, read, trainWords(['a'], { size: 9, fill: true })])
    expect(tokenizer.encode('[unused0] a').every((id) => tokenizer.token(id) !== '[unused0]')).toBe(true);
});

it('rejects vocabularies without room', () => {
  expect(() => trainWords(['a'], { size: 4 })).toThrow(errorAbout({ area: 'words', values: [4] }));
});

it.skipIf(!hasTatoeba)(
  'has the ids of @huggingface/tokenizers on real text (needs ../shared/data)',
  () => {
    for (const side of [0, 1] as const) {
      const texts = tatoebaSide(side);
      for (const tokenizer of [
        trainWords(texts, { size: 15_000 }),
        trainCharacters(texts, { size: 100 }),
        trainBpe(texts, { size: 4000 }),
      ]) {
        const page = pageTokenizer(tokenizer);
        for (let i = side; i < texts.length; i += 23) {
          const text = texts[i] as string;
          const [ours, theirs] = [tokenizer.encode(text), page.encode(text)];
          if (ours.join() !== theirs.join()) expect(ours, text).toEqual(theirs);
        }
      }
    }
  },
  120_000,
);
