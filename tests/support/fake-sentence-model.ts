// A model for tests of documents and of the server: a function from text to text. Its attention links equal words.

import type { ServedSentences } from '../../src/commands/serve/served-texts.ts';
import { createTokenizer, specialTokens } from '../../src/text/tokenizers/tokenizer.ts';

/** The model; an empty translation counts as a text that is too long. */
export function fakeModel(translate: (text: string) => string, calls: string[][] = []): ServedSentences {
  const tokenizer = createTokenizer({
    kind: 'char',
    lowercase: false,
    vocab: [...specialTokens],
    merges: [],
  });
  return {
    tokenizers: {
      source: { ...tokenizer, encode: tokenizer.encode, pieces: (text) => text.split(' ') },
      target: tokenizer,
    },
    async generate(texts) {
      calls.push([...texts]);
      return texts.map((source) => {
        const text = translate(source);
        if (text === '') return [];
        const [from, to] = [
          [...source.split(' '), ''],
          [...text.split(' '), ''],
        ];
        const weights = new Float32Array(from.length * to.length);
        for (const [t, word] of to.entries()) {
          const s = from.findIndex((other) => other.toLowerCase() === word.toLowerCase());
          if (s >= 0) weights[t * from.length + s] = 1;
        }
        const attention = { source: from, target: to, layers: 1, heads: 1, weights };
        return [{ text, ids: to.map(() => 5), score: -1, logProb: -1, ended: true, attention }];
      });
    },
  };
}
