// A project in the browser's private file system: its document as it was dropped, the pairs of its memory, its facts,
// and a journal of translations, to which a line is appended for each change. A tab that is killed loses at most the
// last line.

import { msg } from '../../../src/core/message.ts';
import { memoryPairs } from '../../../src/entries/documents.ts';
import { HeddleError, type Pair } from '../../../src/entries/heddle.ts';
import type { BrowserFiles } from '../../../src/entries/host.ts';
import { appendFile, openBlob } from '../../../src/entries/host.ts';
import type { LearnReport, ModelChoice, SegmentState } from '../documents-protocol.ts';

const folder = 'documents';
const facts = `${folder}/project.json`;
const journal = `${folder}/journal.jsonl`;
/** The pairs of the memory; those of a project that is not created yet are beside it. */
const [memory, newMemory] = [`${folder}/memory.jsonl`, 'documents-memory.jsonl'];

/** The facts of a project. */
export interface ProjectFacts {
  readonly name: string;
  readonly memoryName: string | null;
  readonly model: ModelChoice;
  readonly source: string;
  readonly target: string;
  readonly learned: LearnReport | null;
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
/** Pairs as lines of JSON. */
const linesOf = (pairs: readonly Pair[]): Uint8Array =>
  new TextEncoder().encode(
    pairs.map(({ source, target }) => `${JSON.stringify({ source, target })}\n`).join(''),
  );
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The stored project. */
export class ProjectStore {
  readonly #files: BrowserFiles;
  /** Appends are in order. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(files: BrowserFiles) {
    this.#files = files;
  }

  /** The facts; undefined if there is no project. */
  async facts(): Promise<ProjectFacts | undefined> {
    if (!(await this.#files.exists(facts))) return undefined;
    try {
      return JSON.parse(decode(await this.#files.read(facts))) as ProjectFacts;
    } catch (error) {
      throw new HeddleError(msg`The stored project cannot be read; start a new one.`, { cause: error });
    }
  }

  /**
   * Stores the pairs of a memory for `create`, as they come; `receive` is called with each part, and how much of the
   * file was read. Returns the number of pairs.
   */
  async importMemory(
    file: File,
    languages: { readonly source: string; readonly target: string },
    receive: (pairs: readonly Pair[], share: number) => void,
  ): Promise<number> {
    let [done, count] = [0, 0];
    const options = {
      open: async () => file.stream(),
      onBytes: (bytes: number) => {
        done += bytes;
      },
    };
    async function* lines() {
      for await (const pairs of memoryPairs(file.name, options, languages)) {
        receive(pairs, done / file.size);
        count += pairs.length;
        if (pairs.length > 0) yield linesOf(pairs);
      }
    }
    await this.#files.writeParts(newMemory, lines());
    if (count > 0) return count;
    await this.#files.remove(newMemory);
    throw new HeddleError(
      msg`${file.name}: there is no pair of ${languages.source} and ${languages.target}.`,
    );
  }

  /**
   * Stores a new project, with the memory that was imported before if it has one. The facts come last: without them
   * there is no project.
   */
  async create(project: ProjectFacts, document: Uint8Array): Promise<void> {
    await this.discard();
    await this.#files.write(`${folder}/document`, document);
    if (project.memoryName !== null) await this.#files.rename(newMemory, memory);
    await this.write(project);
  }

  /** Replaces the facts by a rename, so that the old or the new ones are there. */
  async write(project: ProjectFacts): Promise<void> {
    await this.#files.write(`${facts}.new`, encode(project));
    await this.#files.rename(`${facts}.new`, facts);
  }

  document(): Promise<Uint8Array> {
    return this.#files.read(`${folder}/document`);
  }

  /** The pairs of the memory, in parts. */
  async *memory(): AsyncGenerator<readonly Pair[]> {
    const file = await openBlob(this.#files, memory);
    const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n');
      rest = lines.pop() ?? '';
      yield lines.map((line) => JSON.parse(line) as Pair);
    }
  }

  /** The translations by segment: the last line of each. A line that was cut off is skipped. */
  async translations(): Promise<Map<number, SegmentState>> {
    const found = new Map<number, SegmentState>();
    if (!(await this.#files.exists(journal))) return found;
    const text = decode(await this.#files.read(journal));
    if (!text.endsWith('\n')) await appendFile(this.#files, journal, new TextEncoder().encode('\n'));
    for (const line of text.split('\n')) {
      try {
        const [index, state] = JSON.parse(line) as [number, SegmentState];
        found.set(index, state);
      } catch {
        // The tab was closed while it wrote the line.
      }
    }
    return found;
  }

  /** Appends translations to the journal. */
  add(states: readonly (readonly [number, SegmentState])[]): Promise<void> {
    const lines = states.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const added = this.#last.then(() => appendFile(this.#files, journal, new TextEncoder().encode(lines)));
    this.#last = added.catch(() => undefined);
    return added;
  }

  async discard(): Promise<void> {
    // Without its facts there is no project, if the tab is killed now.
    await this.#files.remove(facts);
    await this.#files.remove(folder);
  }
}
