// Texts and reference results for the tests of src/text: real sentences, and vocabularies and ids of Hugging
// Face's libraries.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Tokenizer as PageTokenizer } from '@huggingface/tokenizers';
import { Tokenizer as NativeTokenizer } from 'tokenizers';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';

const root = resolve(import.meta.dirname, '../..');

/** Lines of Cervantes and of John Ormsby's translation, and one with quotes, numbers and dashes. */
export const quixote = readFileSync(join(root, 'tests/fixtures/quixote.txt'), 'utf8').trim().split('\n');

/** Both sides of a small corpus. */
export const phrases = intlCorpus({ pairs: 2000, seed: 5 }).flatMap(({ source, target }) => [source, target]);

/** Path of the large corpus, if it exists. */
export const tatoeba = join(root, '../shared/data/tatoeba-en-es/train.tsv');
export const hasTatoeba = existsSync(tatoeba);

/** One side of the large corpus. */
export const tatoebaSide = (side: 0 | 1): string[] =>
  readFileSync(tatoeba, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[side] as string);

/**
 * The first merges that the package `tokenizers` learns from texts with the rules of one of heddle's
 * tokenizers. It reads files by line and keeps line breaks, so the texts must be one line.
 */
export function nativeMerges(texts: readonly string[], like: Tokenizer): [string, string][] {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bpe-'));
  try {
    const [input, output] = [join(folder, 'text'), join(folder, 'tokenizer.json')];
    writeFileSync(input, `${texts.join(' ')}\n`);
    const json = { ...like.toJSON(), added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] } };
    const native = NativeTokenizer.fromString(JSON.stringify(json));
    native.train([input]);
    native.save(output);
    return JSON.parse(readFileSync(output, 'utf8')).model.merges;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The merges of one of heddle's BPE tokenizers. */
export const mergesOf = (tokenizer: Tokenizer): [string, string][] =>
  (tokenizer.toJSON().model as { merges: [string, string][] }).merges;

/** Loads a tokenizer in @huggingface/tokenizers from its JSON text. */
export function pageTokenizer(tokenizer: Tokenizer): {
  encode(text: string): number[];
  decode(ids: number[]): string;
} {
  const page = new PageTokenizer(JSON.parse(JSON.stringify(tokenizer)), {});
  return {
    encode: (text) => page.encode(text).ids,
    decode: (ids) => page.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
  };
}

/** The ids of texts in the native `tokenizers` package. */
export async function nativeIds(tokenizer: Tokenizer, texts: string[]): Promise<number[][]> {
  const encodings = await NativeTokenizer.fromString(JSON.stringify(tokenizer)).encodeBatch(texts);
  return encodings.map((encoding) => encoding.getIds());
}
