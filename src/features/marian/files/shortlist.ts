// Shortlists of Firefox's models (lex.*.s2t.bin): the target tokens that may translate each source token, from a
// lexical table. Marian's engine computes only the logits of the tokens that a batch may need.

import { check, HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';

/** A shortlist. */
export interface Shortlist {
  /** Number of the most frequent target tokens, which are always allowed: ids below it. */
  readonly first: number;
  /** Maximum number of target tokens of a source token. */
  readonly best: number;
  /** The target tokens of source token s: `targets[offsets[s]]` to `targets[offsets[s + 1] - 1]`, ascending. */
  readonly offsets: readonly number[];
  readonly targets: Uint32Array;
}

/** A line of a lexical table: the probability of a target token as the translation of a source token, by id. */
export type LexicalEntry = readonly [source: number, target: number, probability: number];

const magic = 0xf11a48d5013417f5n;
const headerBytes = 48;

/** Whether a file is a binary shortlist, by its first bytes. */
export const isShortlist = (file: Uint8Array): boolean =>
  file.length >= 8 && new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true) === magic;

/** The hash of Marian (boost's hash_combine over words of 64 bits) of a file behind magic number and checksum. */
function checksumOf(view: DataView): bigint {
  let seed = 0n;
  for (let at = 16; at + 8 <= view.byteLength; at += 8) {
    const word = view.getBigUint64(at, true);
    seed = BigInt.asUintN(64, seed ^ (word + 0x9e3779b9n + (seed << 6n) + (seed >> 2n)));
  }
  return seed;
}

/**
 * The best target tokens of each source token of a lexical table. `sourceSize`: number of source tokens.
 * Default: the 50 most frequent target tokens, and 50 of each source token, as Firefox has.
 */
export function makeShortlist(
  entries: Iterable<LexicalEntry>,
  sourceSize: number,
  { first = 50, best = 50 }: Partial<Pick<Shortlist, 'first' | 'best'>> = {},
): Shortlist {
  const tables = Array.from({ length: sourceSize }, () => new Map<number, number>());
  for (const [source, target, probability] of entries) {
    const table = tables[source] as Map<number, number>;
    if ((table.get(target) ?? -1) < probability) table.set(target, probability);
  }
  const offsets = [0];
  const targets: number[] = [];
  for (const table of tables) {
    const sorted = [...table].sort(([a, p], [b, q]) => q - p || b - a).slice(0, best);
    targets.push(...sorted.map(([target]) => target).sort((a, b) => a - b));
    offsets.push(targets.length);
  }
  return { first, best, offsets, targets: Uint32Array.from(targets) };
}

/** The bytes of a shortlist. */
export function writeShortlist({ first, best, offsets, targets }: Shortlist): Uint8Array {
  const bytes = new Uint8Array(headerBytes + 8 * offsets.length + 4 * targets.length);
  const view = new DataView(bytes.buffer);
  const words = [first, best, offsets.length, targets.length, ...offsets];
  for (const [i, word] of words.entries()) view.setBigUint64(16 + 8 * i, BigInt(word), true);
  const start = headerBytes + 8 * offsets.length;
  for (const [i, id] of targets.entries()) view.setUint32(start + 4 * i, id, true);
  view.setBigUint64(0, magic, true);
  view.setBigUint64(8, checksumOf(view), true);
  return bytes;
}

/**
 * Reads a shortlist of a model with these sizes of vocabularies. Its checksum is not compared, as in Firefox. Throws
 * a HeddleError that names `path` and what is invalid.
 */
export function readShortlist(
  file: Uint8Array,
  path: string,
  [sourceSize, targetSize]: readonly [source: number, target: number],
): Shortlist {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`not a valid shortlist: ${reason}`, { area: path });
  };
  if (!isShortlist(file)) fail(msg`its first bytes are not those of a shortlist of Marian`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < headerBytes) fail(msg`it is truncated`);
  const u64 = (at: number): number => {
    const value = view.getBigUint64(at, true);
    return value > BigInt(file.length) && at >= headerBytes - 16
      ? fail(msg`it has the number ${String(value)}`)
      : Number(value);
  };
  const [first = 0, best = 0, n = 0, k = 0] = [16, 24, 32, 40].map(u64);
  if (file.length !== headerBytes + 8 * n + 4 * k)
    fail(msg`it has ${file.length} bytes, its header needs ${headerBytes + 8 * n + 4 * k}`);
  if (n !== sourceSize + 1) fail(msg`it is for ${n - 1} source tokens, the model has ${sourceSize}`);
  const offsets = Array.from({ length: n }, (_, i) => u64(headerBytes + 8 * i));
  if (offsets[0] !== 0 || offsets.at(-1) !== k || offsets.some((at, i) => at < (offsets[i - 1] ?? 0)))
    fail(msg`its offsets are not in order`);
  const targets = Uint32Array.from({ length: k }, (_, i) =>
    view.getUint32(headerBytes + 8 * n + 4 * i, true),
  );
  const wrong = targets.find((id) => id >= targetSize);
  if (wrong !== undefined) fail(msg`it has the target token ${wrong}, the model has ${targetSize} tokens`);
  return { first, best, offsets, targets };
}

/**
 * The target tokens, ascending, that a batch with these source tokens may have. `shared`: whether source and target
 * have one vocabulary, so that source tokens are allowed too. `size`: number of target tokens.
 */
export function allowedTokens(
  { first, offsets, targets }: Shortlist,
  source: Iterable<number>,
  shared: boolean,
  size: number,
): number[] {
  const allowed = new Set(Array.from({ length: Math.min(first, size) }, (_, id) => id));
  for (const id of new Set(source)) {
    if (shared) allowed.add(id);
    for (let at = offsets[id] ?? 0; at < (offsets[id + 1] ?? 0); at++) allowed.add(targets[at] as number);
  }
  for (let id = first; allowed.size % 8 > 0 && id < size; id++) allowed.add(id);
  return [...allowed].sort((a, b) => a - b);
}

/**
 * The entries of a lexical table as text, with a line `target source probability` of pieces, as Marian's lex.s2t.
 * Throws a HeddleError that names the line. Tokens that a vocabulary does not have are the unknown token, as in
 * Marian.
 */
export function* lexicalEntries(
  text: string,
  path: string,
  sides: readonly [source: Tokenizer, target: Tokenizer],
): Iterable<LexicalEntry> {
  const [source, target] = sides.map((side) => {
    const ids = new Map(Array.from({ length: side.size }, (_, id) => [side.token(id), id]));
    return (piece: string): number => ids.get(piece) ?? side.special.unknown;
  }) as [(piece: string) => number, (piece: string) => number];
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t\r]+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    const [to = '', from = '', given = ''] = words;
    const probability = Math.fround(Number(given));
    check(
      words.length === 3 && probability >= 0 && probability <= 1,
      () =>
        msg`line ${i + 1}: "${line.slice(0, 60)}" is not target token, source token, probability, as in lex.s2t`,
      { area: path },
    );
    if (to !== 'NULL' && from !== 'NULL') yield [source(from), target(to), probability];
  }
}
