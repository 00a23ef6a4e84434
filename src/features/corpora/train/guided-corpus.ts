// Reads the word alignments of guided alignment: a file with a line for each line of the files of pairs. The alignment
// of a pair is found by its texts, so that held-out pairs and pairs that are too long do not matter.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { WordLinks } from '../../../decode/word-links.ts';
import { type Files, openStream } from '../../../files/files.ts';
import { decodeUtf8 } from '../../../files/utf8.ts';
import type { DataContext } from '../../../session/data-step.ts';
import type { EncodedCorpus, RaggedRows } from '../../../text/batches/encoded-corpus.ts';
import { normalizeText } from '../../../text/corpus/normalize-text.ts';
import { pairBlocks } from '../../../text/corpus/pair-blocks.ts';
import { nameOfPairs, type PairFiles } from '../../../text/corpus/pair-files.ts';
import { linesOf, textsOfBlock } from '../../../text/corpus/pair-records.ts';
import { hashText, type PairList } from '../../../text/corpus/pairs.ts';
import { textsOfTokens, wordsOf, wordsOfTokens } from '../../../text/tokenizers/token-words.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import type { TokenizerPair } from '../../../train/data/new-model.ts';
import { parseLinks } from '../align/pharaoh.ts';
import { AlignedRows } from '../batches/aligned-rows.ts';

/** The rows of a corpus by the texts of their pairs. */
class RowsByPair {
  readonly #first = new Map<number, number>();
  /** The next row with the same pair; 0: none. */
  readonly #next: Uint32Array;

  constructor(corpus: EncodedCorpus, pairs: PairList) {
    this.#next = new Uint32Array(corpus.count);
    let row = 0;
    let index = 0;
    for (const { source, target } of pairs) {
      if (corpus.pairIndex[row] === index++) this.#add(keyOf(source, target), row++);
    }
  }

  #add(key: number, row: number): void {
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, row);
    else {
      this.#next[row] = this.#next[first] as number;
      this.#next[first] = row;
    }
  }

  /** The rows of a pair, which are taken once; empty if there are none. */
  take(source: string, target: string): number[] {
    const key = keyOf(source, target);
    const rows: number[] = [];
    for (let row = this.#first.get(key); row !== undefined; row = this.#next[row] || undefined)
      rows.push(row);
    this.#first.delete(key);
    return rows;
  }
}

/** A number of 52 bits for the texts of a pair. */
function keyOf(source: string, target: string): number {
  const text = `${source}\t${target}`;
  return hashText(text) * 2 ** 20 + (hashText(`\n${text}`) >>> 12);
}

/**
 * Reads the alignments in `path` of the files of pairs, for the rows of a corpus. Throws a HeddleError that names the file
 * and the line if the numbers of lines differ, or a line is no alignment of its pair.
 */
export async function readAlignments(
  path: string,
  pairFiles: PairFiles,
  { files, readers, message }: Pick<DataContext, 'files' | 'readers' | 'message'>,
  { corpus, pairs, tokenizers }: AlignedCorpus,
): Promise<AlignedRows> {
  const rows = new RowsByPair(corpus, pairs);
  const aligned = new AlignedRows(corpus.count);
  const lines = alignmentLines(path, files);
  const name = nameOfPairs(pairFiles);
  let count = 0;
  for await (const block of pairBlocks(pairFiles, {
    open: (file) => openStream(files, file),
    readers,
  }))
    for (const [source = '', target = ''] of await textsOfBlock(block)) {
      const { done, value: line } = await lines.next();
      check(!done, () => msg`it has ${count} lines, ${name} has more; it needs a line for each pair`, {
        area: path,
      });
      count++;
      const found = rows.take(normalizeText(source), normalizeText(target));
      if (found.length === 0) continue;
      const links = parseLinks(line as string, `${path}: line ${count}`);
      const words = [wordsOf(source), wordsOf(target)] as const;
      const beyond = links.find(([s, t]) => s >= words[0].length || t >= words[1].length);
      check(
        !beyond,
        () =>
          msg`line ${count}: there is no word ${beyond?.join('-')}, the pair has ${words[0].length} and ${words[1].length} words`,
        { area: path },
      );
      aligned.set(found, tokenLinks(corpus, found[0] as number, links, words, tokenizers));
    }
  check((await lines.next()).done, () => msg`it has more lines than ${name}, which has ${count}`, {
    area: path,
  });
  message(msg`guided alignment: ${aligned.links} links of tokens in ${corpus.count} pairs`);
  return aligned;
}

/** Encoded pairs, their texts and their tokenizers. */
interface AlignedCorpus {
  readonly corpus: EncodedCorpus;
  readonly pairs: PairList;
  readonly tokenizers: TokenizerPair;
}

/** The lines of a file of alignments. */
async function* alignmentLines(path: string, files: Files): AsyncGenerator<string, void, void> {
  const open = (file: string) => openStream(files, file);
  for await (const block of pairBlocks({ files: [path], format: 'tsv' }, { open }))
    yield* linesOf(decodeUtf8(block.bytes, block.name, block.line));
}

/** The links of words as links of the tokens of a row. */
function tokenLinks(
  corpus: EncodedCorpus,
  row: number,
  links: WordLinks,
  words: readonly [source: readonly string[], target: readonly string[]],
  { source, target }: TokenizerPair,
): [source: number, target: number][] {
  const side = (tokenizer: Tokenizer, rows: RaggedRows, own: readonly string[], endTokens: number) => {
    const ids = Array.from(rows.ids.subarray(rows.starts[row], (rows.starts[row + 1] as number) - endTokens));
    const tokens = own.map((): number[] => []);
    for (const [i, word] of wordsOfTokens(textsOfTokens(tokenizer, own.join(' '), ids), own).entries())
      tokens[word]?.push(i);
    return tokens;
  };
  const [from, to] = [side(source, corpus.source, words[0], 1), side(target, corpus.target, words[1], 0)];
  return links.flatMap(([s, t]) =>
    (from[s] ?? []).flatMap((i) => (to[t] ?? []).map((j) => [i, j] as [number, number])),
  );
}
