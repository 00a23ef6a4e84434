// Faults at operations on the browser's own storage (OPFS) while a model, or a checkpoint of a training, replaces
// an earlier one: a fresh reader has the whole old or the whole new files, and all files of the user. In
// `npm run test:full` every fifth of 362 operations of a save and every 50th of 1,327 of a checkpoint; all have passed.
// In `npm test` a few. On Dawn there is no such storage.

import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import { type BrowserFiles, browserFiles } from '../../src/files/browser-files.ts';
import { readText, writeText } from '../../src/files/files.ts';
import { foreignFiles, readManifest, writeFolder } from '../../src/files/owned-folder.ts';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { verifyFolder } from '../../src/files/verified-files.ts';
import { registerHost } from '../../src/session/host.ts';
import { Faults, faultWays, savingOptions, savingPairs } from '../support/faults.ts';
import { everyCase } from '../support/gpu.ts';

const storage = (globalThis as { navigator?: Navigator }).navigator?.storage;
const hasStorage = storage?.getDirectory !== undefined;

/** The operations of OPFS that reach the disk, by the class that has them. */
const operations = {
  FileSystemDirectoryHandle: ['getFileHandle', 'getDirectoryHandle', 'removeEntry'],
  FileSystemFileHandle: ['createWritable', 'move', 'getFile'],
  FileSystemWritableFileStream: ['write', 'close'],
};
type Operation = (...given: unknown[]) => Promise<unknown>;
const real: [object: Record<string, Operation>, name: string, operation: Operation][] = [];
let faults: Faults | undefined;

for (const [name, methods] of hasStorage ? Object.entries(operations) : []) {
  const { prototype } = Reflect.get(globalThis, name) as { prototype: Record<string, Operation> };
  for (const method of methods) {
    const operation = prototype[method];
    if (!operation) continue; // a browser without `move`
    real.push([prototype, method, operation]);
    prototype[method] = function (this: unknown, ...given: unknown[]) {
      const work = () => operation.apply(this, given);
      // A stream that nobody got would lock its file until the next garbage collection.
      const drop = (result: unknown) =>
        method === 'createWritable' && (result as FileSystemWritableFileStream).abort();
      return faults ? faults.run(work, drop) : work();
    };
  }
}
afterAll(() => {
  for (const [object, name, operation] of real) object[name] = operation;
});

/** The files of a page that has just been opened. */
const opened = async (): Promise<BrowserFiles> =>
  browserFiles(await (storage as StorageManager).getDirectory());

/** Does `work` with a fault; the error of the last step of all that comes out. */
async function withFaults(given: Faults, work: () => Promise<unknown>): Promise<unknown> {
  faults = given;
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    faults = undefined;
  }
}

const injected = () => new DOMException('injected', 'InvalidStateError');

/** Repeats `attempt` with a fault at every `stride`-th operation until none happens; returns how many did. */
async function atEach(
  way: (typeof faultWays)[number],
  stride: number,
  attempt: (faults: Faults) => Promise<void>,
): Promise<number> {
  for (let at = 0; ; at += stride) {
    const one = new Faults(way, at, injected);
    await attempt(one);
    if (one.happened) continue;
    console.log(`${way}: ${Math.ceil(at / stride)} faults at ${one.count} operations`);
    return one.count;
  }
}

const texts = (text: string, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `${text} ${name}`]));
const bytes = (parts: Record<string, string>) =>
  Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, new TextEncoder().encode(text)]));
const mine = texts('mine', 'notes.txt', 'data/plot.png', '.gitignore', 'gone/kept.txt');

/** The texts of files that there are. */
async function textsOf(files: BrowserFiles, folder: string, names: readonly string[]) {
  const found: Record<string, string> = {};
  for (const name of names)
    if (await files.exists(`${folder}/${name}`)) found[name] = await readText(files, `${folder}/${name}`);
  return found;
}

describe.skipIf(!hasStorage).each(everyCase ? faultWays : faultWays.slice(0, 1))('%s', (way) => {
  it('at an operation of a save leaves the old or the new files, and those of the user', async () => {
    const old = texts('old', 'a.json', 'b.bin', 'data/c', 'gone/d');
    const next = texts('new', 'a.json', 'b.bin', 'data/c', 'more/e');
    const all = Object.keys({ ...old, ...next });
    const count = await atEach(way, everyCase ? 5 : 160, async (one) => {
      let files = await opened();
      await files.remove('saved');
      await writeFolder(files, 'saved', bytes(old));
      for (const [name, text] of Object.entries(mine)) await writeText(files, `saved/${name}`, text);
      const error = await withFaults(one, async () => writeFolder(await opened(), 'saved', bytes(next)));
      const operation = `operation ${one.count}`;
      files = await opened();
      await settledFolder(files, 'saved');
      await verifyFolder(files, 'saved');
      const found = await textsOf(files, 'saved', all);
      expect([old, next], operation).toContainEqual(found);
      if (error === undefined) expect(found, operation).toEqual(next);
      expect(await textsOf(files, 'saved', Object.keys(mine)), operation).toEqual(mine);
      // The next save works, and removes what is unfinished.
      await writeFolder(files, 'saved', bytes(next));
      expect(await textsOf(files, 'saved', all)).toEqual(next);
      expect((await foreignFiles(files, 'saved')).sort()).toEqual([
        '.gitignore',
        'data/plot.png',
        'gone',
        'notes.txt',
      ]);
      const hidden = (await files.list('saved')).filter((name) => /^\.(?:heddle|new)-/.test(name));
      expect(hidden, operation).toEqual([]);
    });
    expect(count).toBeGreaterThan(100);
  });

  it.runIf(everyCase)('at an operation of a checkpoint leaves the old or the new one', async () => {
    const run = async (more: TrainOptions) => {
      registerHost({ files: await opened(), modelPath: (name) => name });
      (await train(savingPairs, { ...savingOptions, ...more })).dispose();
    };
    const weights = async (files: BrowserFiles, folder: string) =>
      (await readManifest(files, folder))?.files['model.safetensors']?.sha256;
    const removeAll = async (files: BrowserFiles) => {
      for (const name of (await files.list('.')).filter((other) => /^run(?:\.|$)/.test(other)))
        await files.remove(name);
    };

    // What an undisturbed training has after each step.
    let files = await opened();
    await removeAll(files);
    const expected: (string | undefined)[] = [];
    for (let step = 1; step <= 4; step++) {
      await run({ steps: step, resume: step > 1 });
      expected.push(await weights(files, 'run'));
    }
    expect(new Set(expected).size).toBe(4);

    const count = await atEach(way, 50, async (one) => {
      files = await opened();
      await removeAll(files);
      await run({ steps: 2 });
      for (const folder of ['run', 'run.step-1'])
        for (const [name, text] of Object.entries(mine)) await writeText(files, `${folder}/${name}`, text);
      await withFaults(one, () => run({ steps: 3, resume: true }));
      const operation = `operation ${one.count}`;
      files = await opened();
      registerHost({ files, modelPath: (name) => name });
      await settledFolder(files, 'run');
      await verifyFolder(files, 'run');
      expect(expected.slice(1, 3), operation).toContain(await weights(files, 'run'));
      await (await loadModel('run', { device: 'cpu' })).translate('ab');
      for (const folder of ['run', 'run.step-1'])
        expect(await textsOf(files, folder, Object.keys(mine)), operation).toEqual(mine);
      // It goes on as if nothing had happened.
      await run({ steps: 4, resume: true });
      expect(await weights(files, 'run'), operation).toBe(expected[3]);
      await verifyFolder(files, 'run');
      // Those of step 3 may be missing, and then those of step 2 are kept.
      const steps: number[] = [];
      for (const step of [2, 3, 4]) {
        await verifyFolder(files, `run.step-${step}`);
        const kept = await weights(files, `run.step-${step}`);
        if (kept !== undefined) steps.push(step);
        expect([undefined, expected[step - 1]], operation).toContain(kept);
      }
      expect([steps.length, steps.at(-1)], operation).toEqual([2, 4]);
      expect(await textsOf(files, 'run.step-1', Object.keys(mine)), operation).toEqual(mine);
    });
    await removeAll(await opened());
    expect(count).toBeGreaterThan(100);
  });
});
