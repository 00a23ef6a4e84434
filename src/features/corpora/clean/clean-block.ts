// Applies the rules to a block of a file, in a thread: the pairs as they are in the file, the rule that each breaks,
// and hashes for duplicates.

import { type BadLine, linesOf, type PairBlock, parseBlock } from '../../../text/corpus/pair-records.ts';
import { detectLanguage } from '../../../text/language-detection.ts';
import type { TextTaskKind } from '../../../text/text-tasks.ts';
import {
  brokenRule,
  type CleanLanguages,
  type CleanLimits,
  type CleanPair,
  type LanguageFacts,
  otherLanguage,
  type RuleName,
  ruleNames,
} from './clean-rules.ts';
import { type DuplicateFilter, pairKeys } from './duplicate-filter.ts';

/** Options of the rules; plain data. */
export interface CleanOptions {
  readonly limits: CleanLimits;
  readonly languages: CleanLanguages;
}

/** The pairs of a block: source, tab and target on a line each. */
export interface CleanedBlock {
  /** Name of the file, and number of the first record. */
  readonly name: string;
  readonly line: number;
  readonly lines: readonly string[];
  /** Index into `ruleNames` of the first rule that each pair breaks; -1: none so far. */
  readonly broken: Int8Array;
  /** The language of each text that the rule `language` drops: `source fr`; '' for others. */
  readonly languages: readonly string[];
  /** Hashes of each pair that breaks no rule: exact, near, target. */
  readonly keys: Float64Array; // [lines, 3]
}

/** The rule that each pair of a block breaks, with the pairs before it; undefined: it is kept. */
export function rulesOf({ lines, broken, keys }: CleanedBlock, filter: DuplicateFilter) {
  return lines.map((_, i): RuleName | undefined => {
    const own = broken[i] as number;
    if (own >= 0) return ruleNames[own];
    const [exact, near, target] = keys.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return filter.add({ exact, near, target });
  });
}

/** A record: its texts and further columns; without texts it is not a pair. */
interface CleanRecord {
  readonly texts?: readonly [string, string];
  /** Further columns, with their tabs. */
  readonly rest?: string;
  readonly line?: string;
}

/** Applies the rules. */
export async function cleanBlock(
  block: PairBlock,
  { limits, languages }: CleanOptions,
): Promise<CleanedBlock> {
  const records = await recordsOf(block);
  const broken = new Int8Array(records.length).fill(-1);
  const keys = new Float64Array(3 * records.length);
  const found = records.map(() => '');
  const facts = { ...languages, detect: detectLanguage };
  const lines = records.map(({ texts, rest = '', line = '' }, i) => {
    if (!texts) {
      broken[i] = ruleNames.indexOf('malformed');
      return line;
    }
    const [source, target] = texts.map((text) => text.trim()) as [string, string];
    const pair = { source, target };
    const rule = brokenRule(pair, limits, facts);
    if (rule === 'language') found[i] = foundLanguage(pair, limits.language, facts);
    if (rule !== undefined) broken[i] = ruleNames.indexOf(rule);
    else {
      const { exact, near, target: same } = pairKeys(pair, limits);
      keys.set([exact, near, same], 3 * i);
    }
    return `${source}\t${target}${rest}`;
  });
  return { name: block.name, line: block.line, lines, broken, languages: found, keys };
}

/** The side and the language of a pair that breaks the rule `language`. */
function foundLanguage(pair: CleanPair, limit: number, facts: LanguageFacts): string {
  for (const side of ['source', 'target'] as const) {
    const other = otherLanguage(pair[side], facts[side], limit, facts.detect);
    if (other) return `${side} ${other}`;
  }
  return '';
}

/** Lines of bytes; invalid UTF-8 becomes U+FFFD, which the rule mojibake finds. */
const linesIn = (bytes: Uint8Array): string[] => linesOf(new TextDecoder('utf-8').decode(bytes));

/** Why a record is a pair with an empty side. */
const emptyReasons: ReadonlySet<BadLine['reason']> = new Set([
  'empty line',
  'empty source',
  'empty target',
  'both sides empty',
]);

async function recordsOf(block: PairBlock): Promise<CleanRecord[]> {
  const { format, bytes, targets, columns } = block;
  if (format === 'parallel') {
    const others = linesIn(targets ?? new Uint8Array());
    return linesIn(bytes).map((line, i) => ({ texts: [line, others[i] ?? ''] }));
  }
  if (format !== 'tsv') {
    const { pairs, bad } = await parseBlock(block);
    return [
      ...pairs.map(({ source, target }): CleanRecord => ({ texts: [source, target] })),
      ...bad.map(
        ({ reason }): CleanRecord => (emptyReasons.has(reason) ? { texts: ['', ''] } : { line: reason }),
      ),
    ];
  }
  const [from, to] = columns.map(Number) as [number, number];
  return linesIn(bytes).map((line): CleanRecord => {
    const all = line.split('\t');
    const [source, target] = [all[from], all[to]];
    if (line.trim() === '') return { texts: ['', ''] };
    if (source === undefined || target === undefined || line.includes('\0')) return { line };
    const further = from === 0 && to === 1 && all.length > 2;
    return { texts: [source, target], rest: further ? `\t${all.slice(2).join('\t').trimEnd()}` : '' };
  });
}

/** `cleanBlock` as a task of threads. */
export const cleanTask: TextTaskKind<CleanOptions, PairBlock, CleanedBlock> = {
  name: 'clean',
  open: (options) => ({ map: (block) => cleanBlock(block, options) }),
};
