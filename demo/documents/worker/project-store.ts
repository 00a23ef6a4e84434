// A project in the browser's private file system: its document and memory as they were dropped, its facts,
// and a journal of translations, to which a line is appended for each change. A tab that is killed loses at
// most the last line.

import { type BrowserFiles, HeddleError } from '../../../src/index.ts';
import { appendFile } from '../../../src/pages.ts';
import type { LearnReport, ModelChoice, SegmentState } from '../documents-protocol.ts';

const folder = 'documents';
const facts = `${folder}/project.json`;
const journal = `${folder}/journal.jsonl`;

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
      throw new HeddleError('The stored project cannot be read; start a new one.', { cause: error });
    }
  }

  /** Stores a new project. The facts come last: without them there is no project. */
  async create(project: ProjectFacts, document: Uint8Array, memory: Uint8Array | undefined): Promise<void> {
    await this.discard();
    await this.#files.write(`${folder}/document`, document);
    if (memory) await this.#files.write(`${folder}/memory`, memory);
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

  memory(): Promise<Uint8Array> {
    return this.#files.read(`${folder}/memory`);
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

  discard(): Promise<void> {
    return this.#files.remove(folder);
  }
}
