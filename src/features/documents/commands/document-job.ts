// heddle translate MODEL FILE: translates a document and writes it when it is whole. A journal next to the output has the
// translations so far, so that an interrupted run resumes.

import { openFolder } from '../../../api/load-model.ts';
import type { Model } from '../../../api/model.ts';
import type { ModelArguments } from '../../../commands/jobs/model-arguments.ts';
import { HeddleError } from '../../../core/errors.ts';
import { fingerprintOf } from '../../../core/fingerprint.ts';
import { msg } from '../../../core/message.ts';
import type { TranslateOptions } from '../../../decode/text-options.ts';
import {
  appendFile,
  baseName,
  concatBytes,
  type Files,
  openStream,
  readText,
  writeText,
  writeTogether,
} from '../../../files/files.ts';
import { foreignFile } from '../../../files/owned-folder.ts';
import { readInput, readInputText } from '../../../files/read-input.ts';
import type { Job } from '../../../session/job.ts';
import type { Session } from '../../../session/session.ts';
import type { OpenSegments, SegmentTranslation } from '../document.ts';
import { openDocument } from '../document-formats.ts';
import { type DocumentSummary, describeSummary, summaryOf, writeReport } from '../document-report.ts';
import { readGlossary } from '../glossary.ts';
import { memoryPairs } from '../memory-pairs.ts';
import { type SegmentReport, translateDocument } from '../translate-document.ts';
import { TranslationMemory } from '../translation-memory.ts';

/** Arguments of the job; plain JSON. */
export interface DocumentArguments extends ModelArguments {
  readonly input: string;
  /** File of the translation; undefined: it is emitted as pieces of text. */
  readonly output?: string;
  /** Encoding of the input, in which the output is written. [the one that the file names, or UTF-8] */
  readonly encoding?: string;
  readonly options?: TranslateOptions;
  readonly segments?: OpenSegments;
  /** Files of pairs. */
  readonly memory?: readonly string[];
  readonly threshold?: number;
  /** File of terms. */
  readonly glossary?: string;
  /** File of the report. */
  readonly report?: string;
}

/** File of the translations so far. */
export const journalOf = (output: string): string => `${output}.progress`;

type Translations = readonly (SegmentTranslation | null)[];

/** A line of a journal: translations of a unit, or nothing, and the reports of a group. */
interface JournalLine {
  readonly units: readonly Translations[];
  readonly reports: readonly SegmentReport[];
}

/** A line of a journal; nothing if it is cut off. */
function parsedLine(line: string): JournalLine[] {
  try {
    return [JSON.parse(line) as JournalLine];
  } catch {
    return [];
  }
}

/** Whether the first line of a file is that of a journal. */
function isKey(line: string): boolean {
  try {
    return Array.isArray(JSON.parse(line));
  } catch {
    return false;
  }
}

/** The journal of a run; without an output there is none. */
class Journal {
  readonly #files: Files;
  readonly #path: string | undefined;
  readonly #key: string;

  constructor(files: Files, output: string | undefined, key: string) {
    this.#files = files;
    this.#path = output === undefined ? undefined : journalOf(output);
    this.#key = key;
  }

  /** The lines of an interrupted run with the same key; starts a new journal if there are none. */
  async open(): Promise<JournalLine[]> {
    const path = this.#path;
    if (path === undefined) return [];
    if (await this.#files.exists(path)) {
      const text = await readText(this.#files, path);
      const [key = '', ...lines] = text.split('\n');
      if (!isKey(key)) throw foreignFile(path);
      if (key === this.#key && lines.length > 0) {
        // The last line is cut off if the run was killed while it was written. It stays there and is skipped.
        if (!text.endsWith('\n')) await appendFile(this.#files, path, new TextEncoder().encode('\n'));
        return lines.flatMap(parsedLine);
      }
    }
    await writeText(this.#files, path, `${this.#key}\n`);
    return [];
  }

  async add(line: JournalLine): Promise<void> {
    if (this.#path === undefined) return;
    await appendFile(this.#files, this.#path, new TextEncoder().encode(`${JSON.stringify(line)}\n`));
  }

  async remove(): Promise<void> {
    if (this.#path !== undefined) await this.#files.remove(this.#path);
  }
}

/** Reads the pairs of memories. */
async function openMemory(
  { memory = [], sourceLang, targetLang }: DocumentArguments,
  { files, emit, signal }: Session,
): Promise<TranslationMemory | undefined> {
  if (memory.length === 0) return undefined;
  const all = new TranslationMemory();
  for (const path of memory) {
    const total = (await files.size?.(path)) ?? 0;
    let [done, count] = [0, 0];
    const options = {
      open: (name: string) => openStream(files, name),
      onBytes: (bytes: number) => {
        done += bytes;
      },
    };
    for await (const pairs of memoryPairs(path, options, { source: sourceLang, target: targetLang })) {
      signal?.throwIfAborted();
      for (const pair of pairs) all.add(pair);
      count += pairs.length;
      emit({ type: 'progress', task: 'read', done, total, text: 'bytes of the memory' });
    }
    if (count === 0) throw new HeddleError('the memory has no pair', { area: path });
  }
  return all;
}

/** The languages of a call, for a model that has several; others only know them by their rules. */
const languagesOf = ({ languages }: Model, { sourceLang, targetLang }: DocumentArguments) =>
  languages ? { sourceLang, targetLang } : {};

/** Translates a document; returns the numbers of its segments. */
export const translateFile: Job<DocumentArguments, DocumentSummary> = async (args, session) => {
  const { input, output, encoding, options, segments, threshold, report, sourceLang, targetLang } = args;
  const { files, emit, signal } = session;
  const name = baseName(input);
  const bytes = await readInput(files, input);
  const document = await openDocument(bytes, name, { targetLang, encoding });
  const memory = await openMemory(args, session);
  const glossary =
    args.glossary === undefined
      ? undefined
      : await readGlossary(await readInputText(files, args.glossary), baseName(args.glossary), sourceLang);
  const model = await openFolder(args.folder, session, {
    ...args,
    sourceLang: undefined,
    targetLang: undefined,
  });
  try {
    const settings = {
      encoding,
      options,
      segments,
      threshold,
      sourceLang,
      targetLang,
      memory: memory?.size,
      glossary: args.glossary,
    };
    const key = JSON.stringify([fingerprintOf([bytes]), args.folder, settings]);
    const journal = new Journal(files, output, key);
    const lines = await journal.open();
    const done = lines.flatMap(({ units }) => units);
    const reports = lines.flatMap((line) => line.reports);
    if (done.length > 0)
      emit({
        type: 'message',
        text: msg`${name}: resumes after ${done.length} of ${document.units.length} units`,
      });
    // The output is written when it is whole.
    const written: Uint8Array[] = [];
    const decode = { ...options, ...languagesOf(model, args), signal };
    const parts = translateDocument(model, document, {
      decode,
      memory,
      glossary,
      threshold,
      segments,
      targetLang,
      done,
      signal,
    });
    for await (const part of parts) {
      if (output === undefined) emit({ type: 'piece', text: part.text });
      else written.push(document.encode(part.text));
      reports.push(...part.reports);
      if (part.translations.length > 0)
        await journal.add({ units: part.translations, reports: part.reports });
      emit({
        type: 'progress',
        task: 'translate',
        done: part.done,
        total: document.units.length,
        text: 'units',
      });
    }
    const made: Record<string, Uint8Array> = {};
    if (output !== undefined) made[output] = concatBytes(written);
    if (report !== undefined) made[report] = new TextEncoder().encode(writeReport(report, name, reports));
    await writeTogether(files, made);
    await journal.remove();
    const summary = summaryOf(reports);
    emit({ type: 'message', text: msg`${name}: ${describeSummary(summary)}` });
    return summary;
  } finally {
    model.dispose();
  }
};
