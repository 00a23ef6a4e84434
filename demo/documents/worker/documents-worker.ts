// Worker of the page of documents: handles the calls of documents-protocol.ts, one project at a time. A Web
// Lock keeps a second tab from writing the same project.

import { formatBytes } from '../../../src/core/format-numbers.ts';
import { msg, percentage } from '../../../src/core/message.ts';
import { DocumentReview, openDocument, TranslationMemory } from '../../../src/entries/documents.ts';
import { HeddleError } from '../../../src/entries/heddle.ts';
import { answerCall, type CallHandlers } from '../../common/worker-calls.ts';
import { holdLock, openWorkerStorage } from '../../storage/worker-storage.ts';
import type { Calls, Reply, Request } from '../documents-protocol.ts';
import { PacedStatus } from './paced-status.ts';
import { Project } from './project.ts';
import { ProjectStore } from './project-store.ts';

const post = (reply: Reply): void => self.postMessage(reply);

const opened = (async () => {
  const files = await openWorkerStorage();
  await holdLock(
    'heddle documents',
    msg`Another tab has the documents open; close it, then reload this page.`,
  );
  return { files, store: new ProjectStore(files) };
})();
opened.catch(() => undefined); // every call reports the error

let project: Project | undefined;

function current(): Project {
  if (!project) throw new HeddleError(msg`There is no document.`);
  return project;
}

/** Maximum bytes of a document, which is held in memory. */
const maxDocument = 64 * 2 ** 20;

/** The bytes of a document. Throws a HeddleError if it is too large. */
async function bytesOf(file: File): Promise<Uint8Array> {
  if (file.size > maxDocument)
    throw new HeddleError(
      msg`${file.name} has ${formatBytes(file.size)}; the limit is ${formatBytes(maxDocument)}. Select a smaller file.`,
    );
  return new Uint8Array(await file.arrayBuffer());
}

/** Reads a memory of any size: its pairs go to the storage and to `memory`. */
async function importMemory(
  store: ProjectStore,
  memory: TranslationMemory,
  file: File,
  languages: { readonly source: string; readonly target: string },
): Promise<void> {
  const status = new PacedStatus(post);
  let count = 0;
  await store.importMemory(file, languages, (pairs, share) => {
    for (const pair of pairs) memory.add(pair);
    count += pairs.length;
    status.show(() => msg`Reading ${file.name}: ${percentage(share)}, ${count} pairs`);
  });
}

const calls: CallHandlers<Calls> = {
  async open() {
    const { files, store } = await opened;
    project = await Project.open(store, files, post);
    return project?.view() ?? null;
  },
  async create({ document, memory, model, source, target }) {
    const { files, store } = await opened;
    const bytes = await bytesOf(document);
    // An invalid file is refused before the project of before is gone.
    const review = new DocumentReview(await openDocument(bytes, document.name, { targetLang: target }));
    if (review.segments.length === 0) throw new HeddleError(msg`${document.name} has no text to translate.`);
    const pairs = new TranslationMemory();
    if (memory) await importMemory(store, pairs, memory, { source, target });
    await project?.close();
    const facts = {
      name: document.name,
      memoryName: memory?.name ?? null,
      model,
      source,
      target,
      learned: null,
    };
    await store.create(facts, bytes);
    project = await Project.open(store, files, post, pairs);
    return current().view();
  },
  translate: async () => current().translate(),
  save: async (index, text, confirm) => current().save(index, text, confirm),
  learn: async () => current().learn(),
  file: async (kind) => current().file(kind),
  async discard() {
    const { store } = await opened;
    await project?.close();
    project = undefined;
    await store.discard();
  },
  async models() {
    const { files } = await opened;
    if (!(await files.exists('models'))) return [];
    const names = await files.list('models');
    const complete = await Promise.all(names.map((name) => files.exists(`models/${name}/config.json`)));
    return names.filter((_, i) => complete[i]);
  },
};

self.onmessage = ({ data }: MessageEvent<Request>) => void answerCall(calls, data);
