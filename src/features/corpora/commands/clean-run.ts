// Cleans files of pairs: blocks pass the rules in threads, then the duplicate filter, in the order of the files. What
// was done is recorded after every few blocks, so that a killed run continues where it was.

import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import { makeFolderOf, writeAt, writing } from '../../../commands/output-file.ts';
import { check } from '../../../core/errors.ts';
import { fingerprintOf } from '../../../core/fingerprint.ts';
import { present } from '../../../core/present.ts';
import type { Pace } from '../../../core/steps.ts';
import { openStream } from '../../../files/files.ts';
import { foreignFile } from '../../../files/owned-folder.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import { nodeTextThreads } from '../../../host/node-host.ts';
import { pairBlocks } from '../../../text/corpus/pair-blocks.ts';
import { type PairFiles, pathsOf } from '../../../text/corpus/pair-files.ts';
import type { PairReader } from '../../../text/corpus/pair-reader.ts';
import { openTextPool } from '../../../text/text-pool.ts';
import { type CleanedBlock, type CleanOptions, cleanTask, rulesOf } from '../clean/clean-block.ts';
import { type RuleName, ruleNames } from '../clean/clean-rules.ts';
import { DuplicateFilter, pairKeys } from '../clean/duplicate-filter.ts';

/** A dropped pair in the report. */
export interface CleanExample {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Result of a run; plain JSON. */
export interface CleanResult {
  readonly pairs: number;
  readonly kept: number;
  /** Number of dropped pairs and the first ones, by rule. */
  readonly dropped: Readonly<
    Record<RuleName, { readonly count: number; readonly examples: readonly CleanExample[] }>
  >;
  /** Number of pairs that the rule `language` dropped, by side and language: `source fr`. */
  readonly languages: Readonly<Record<string, number>>;
}

/** Arguments of a run. */
export interface CleanArguments extends CleanOptions {
  readonly pairs: PairFiles;
  readonly out: string;
  readonly rejected?: string;
  /** Number of threads. [all] */
  readonly threads?: number;
}

/** Number of examples of each rule. */
const exampleCount = 10;
/** Blocks of 256 KiB between two records of the state. */
const blocksPerState = 16;
const blockBytes = 2 ** 18;

/** The state of an unfinished run, in OUT.clean-state; the pairs so far are in OUT.part. */
interface CleanState extends CleanResult {
  /** Fingerprint of files and options. */
  readonly run: string;
  readonly blocks: number;
  readonly outBytes: number;
  readonly rejectedBytes: number;
}

/** A cleaning run. */
export class CleanRun {
  readonly #args: CleanArguments;
  readonly #readers: readonly PairReader[];
  readonly #filter: DuplicateFilter;
  readonly #statePath: string;
  #state: { -readonly [K in keyof CleanState]: CleanState[K] };
  readonly #counts: Record<RuleName, { count: number; examples: CleanExample[] }>;
  readonly #languages: Record<string, number>;
  #out = -1;
  #rejected = -1;

  private constructor(args: CleanArguments, readers: readonly PairReader[], state: CleanState) {
    this.#args = args;
    this.#readers = readers;
    this.#filter = new DuplicateFilter(args.limits);
    this.#statePath = `${args.out}.clean-state`;
    this.#state = { ...state };
    this.#counts = state.dropped as Record<RuleName, { count: number; examples: CleanExample[] }>;
    this.#languages = { ...state.languages };
  }

  /** Number of blocks that an earlier run has done; 0: this run starts at the beginning. */
  get done(): number {
    return this.#state.blocks;
  }

  /**
   * Opens a run, or continues the one whose state is beside `out`, if its files and options are the same. `readers`: of
   * pairs whose records are not lines.
   */
  static async open(args: CleanArguments, readers: readonly PairReader[] = []): Promise<CleanRun> {
    const files = nodeFiles();
    const sizes = await Promise.all(pathsOf(args.pairs).map((path) => files.size?.(path)));
    const { threads: _, ...facts } = args;
    const run = fingerprintOf([new TextEncoder().encode(JSON.stringify([facts, sizes]))]);
    const path = `${args.out}.clean-state`;
    const before = existsSync(path) ? readState(path) : undefined;
    const fresh: CleanState = {
      run,
      blocks: 0,
      outBytes: 0,
      rejectedBytes: 0,
      pairs: 0,
      kept: 0,
      dropped: Object.fromEntries(
        ruleNames.map((name) => [name, { count: 0, examples: [] }]),
      ) as unknown as CleanResult['dropped'],
      languages: {},
    };
    const outputs = present([args.out, args.rejected]);
    const isSame =
      before?.run === run &&
      outputs.every((path) => existsSync(`${path}.part`)) &&
      !pathsOf(args.pairs).includes('-');
    for (const path of before ? [] : outputs)
      if (existsSync(`${path}.part`)) throw foreignFile(`${path}.part`);
    const cleaning = new CleanRun(args, readers, isSame ? before : fresh);
    for (const path of outputs) writing(path, () => makeFolderOf(path));
    if (!isSame) writing(args.out, () => cleaning.#save()); // before there are parts
    await cleaning.#openFiles();
    return cleaning;
  }

  async #openFiles(): Promise<void> {
    const { out, rejected, limits } = this.#args;
    const { blocks, outBytes, rejectedBytes } = this.#state;
    this.#out = writing(out, () => openSync(`${out}.part`, blocks > 0 ? 'r+' : 'w'));
    if (rejected !== undefined)
      this.#rejected = writing(rejected, () => openSync(`${rejected}.part`, blocks > 0 ? 'r+' : 'w'));
    // What was written after the last state is written again.
    ftruncateSync(this.#out, outBytes);
    if (this.#rejected >= 0) ftruncateSync(this.#rejected, rejectedBytes);
    if (outBytes === 0) return;
    for await (const line of createInterface({ input: createReadStream(`${out}.part`), crlfDelay: 0 })) {
      const [source = '', target = ''] = line.split('\t');
      this.#filter.add(pairKeys({ source, target }, limits));
    }
  }

  /**
   * Cleans all blocks that are left, and gives the files their names after `report`. Throws the signal's reason if it is
   * aborted, and the error of `report`; the run can then continue.
   */
  async run(
    pace: Pace,
    signal: AbortSignal,
    report?: (result: CleanResult) => Promise<void>,
  ): Promise<CleanResult> {
    const { pairs, limits, languages, threads } = this.#args;
    const readers = this.#readers;
    const files = nodeFiles();
    const sizes = await Promise.all(pathsOf(pairs).map((path) => files.size?.(path)));
    const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    let done = 0;
    const skip = this.#state.blocks;
    async function* blocks() {
      let index = 0;
      const all = pairBlocks(pairs, {
        open: (path) => openStream(files, path),
        readers,
        onBytes: (bytes) => {
          signal.throwIfAborted(); // a line without an end gives no block
          done += bytes;
        },
        blockBytes,
      });
      for await (const block of all) if (index++ >= skip) yield block;
    }
    const pool = await openTextPool(pace, threads === 0 ? undefined : nodeTextThreads(), signal);
    const waiting = new Map<number, CleanedBlock>();
    let next = 0;
    try {
      await pool.run({
        task: cleanTask,
        args: { limits, languages },
        chunks: blocks(),
        progress: () => ({ task: 'read', done, total }),
        onPart: (part, index) => {
          waiting.set(index, part);
          for (let block = waiting.get(next); block; block = waiting.get(next)) {
            waiting.delete(next++);
            writing(this.#args.out, () => {
              this.#write(block as CleanedBlock);
              if (this.#state.blocks % blocksPerState === 0) this.#save();
            });
          }
        },
        threads,
      });
      check(this.#state.pairs > 0, 'the files have no lines', { area: 'clean' });
      await report?.(this.#result);
    } catch (error) {
      try {
        this.#save();
      } catch {} // as on a full disk; the state before it is valid
      throw error;
    } finally {
      pool.close();
    }
    return this.#finish();
  }

  /** Writes a block, then counts it: a state never has a part of a block. */
  #write(block: CleanedBlock): void {
    const { name, line, lines } = block;
    const rules = rulesOf(block, this.#filter);
    let [kept, rejected] = ['', ''];
    for (const [i, text] of lines.entries())
      if (rules[i] === undefined) kept += `${text}\n`;
      else rejected += `${rules[i]}\t${text}\n`;
    const state = this.#state;
    const outBytes = append(this.#out, kept, state.outBytes);
    if (this.#rejected >= 0) state.rejectedBytes += append(this.#rejected, rejected, state.rejectedBytes);
    state.outBytes += outBytes;
    state.blocks++;
    for (const [i, text] of lines.entries()) {
      state.pairs++;
      const rule = rules[i];
      if (rule === undefined) {
        state.kept++;
        continue;
      }
      const counter = this.#counts[rule];
      counter.count++;
      const language = block.languages[i];
      if (language) this.#languages[language] = (this.#languages[language] ?? 0) + 1;
      if (counter.examples.length < exampleCount)
        counter.examples.push({ file: name, line: line + i, text: text.slice(0, 1000) });
    }
  }

  #save(): void {
    if (this.#out >= 0) fsyncSync(this.#out);
    const path = `${this.#statePath}.new`;
    try {
      writeFileSync(
        path,
        JSON.stringify({ ...this.#state, dropped: this.#counts, languages: this.#languages }),
      );
      renameSync(path, this.#statePath);
    } catch (error) {
      rmSync(path, { force: true }); // a part of it, on a full disk
      throw error;
    }
  }

  get #result(): CleanResult {
    const { pairs, kept } = this.#state;
    return { pairs, kept, dropped: this.#counts, languages: this.#languages };
  }

  #finish(): CleanResult {
    const { out, rejected } = this.#args;
    closeSync(this.#out);
    if (rejected !== undefined) {
      closeSync(this.#rejected);
      renameSync(`${rejected}.part`, rejected);
    }
    renameSync(`${out}.part`, out);
    rmSync(this.#statePath, { force: true });
    return this.#result;
  }
}

/** The state of an unfinished run. Throws a HeddleError if a file is none. */
function readState(path: string): CleanState {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as CleanState | null;
    if (typeof state?.run === 'string' && typeof state.outBytes === 'number') return state;
  } catch {} // not JSON
  throw foreignFile(path);
}

/** Writes a text at a position of a file; returns the number of bytes. */
function append(file: number, text: string, at: number): number {
  const bytes = new TextEncoder().encode(text);
  writeAt(file, bytes, at);
  return bytes.length;
}
