// Runs of the lab in IndexedDB, to show after a reload and to compare with.

import { benchRunOf } from '../../src/bench/bench-file.ts';
import type { LabResults } from './lab-protocol.ts';

/** The stored runs. */
export interface RunHistory {
  /** All runs that can be read, the latest first. */
  list(): Promise<LabResults[]>;
  /** Stores a run; it replaces one with the same start time. */
  put(run: LabResults): Promise<void>;
  remove(when: string): Promise<void>;
}

/** Number of runs that are kept. */
const maxRuns = 40;
const store = 'runs';

/** Opens the history. Without IndexedDB (private windows of some browsers) it is lost with the page. */
export function openHistory(): RunHistory {
  const opened = openDatabase().catch(() => undefined);
  const session = new Map<string, LabResults>();
  const work = async <T>(
    mode: IDBTransactionMode,
    act: (runs: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | undefined> => {
    const database = await opened;
    return database && resultOf(act(database.transaction(store, mode).objectStore(store)));
  };
  return {
    async list() {
      const found = (await work('readonly', (runs) => runs.getAll())) ?? [...session.values()];
      return (found as LabResults[]).filter(isReadable).sort((a, b) => (a.when < b.when ? 1 : -1));
    },
    async put(run) {
      session.set(run.when, run);
      await work('readwrite', (runs) => runs.put(run));
      const keys = ((await work('readonly', (runs) => runs.getAllKeys())) ?? []).map(String).sort();
      for (const old of keys.slice(0, Math.max(0, keys.length - maxRuns)))
        await work('readwrite', (runs) => runs.delete(old));
    },
    async remove(when) {
      session.delete(when);
      await work('readwrite', (runs) => runs.delete(when));
    },
  };
}

/** Whether a run can be shown: another version of the page may have stored it. */
function isReadable(run: LabResults): boolean {
  try {
    return benchRunOf(run).roofs !== undefined;
  } catch {
    return false;
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open('heddle-lab', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: 'when' });
  return resultOf(request);
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
