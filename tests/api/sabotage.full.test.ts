// A training and its folder beside a saboteur: a bit flips in each file, the disk is full at each write, each
// operation on files fails or is the last one before the process dies.

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorKind, HeddleError } from '../../src/core/errors.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { type TrainOptions, train } from '../../src/entries/train-with-features.ts';
import { appendFile, type Files, readText, writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { readManifest, removeOwnFolder } from '../../src/files/owned-folder.ts';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { verifyFolder } from '../../src/files/verified-files.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { registerHost } from '../../src/session/host.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import { readTrainingState } from '../../src/train/run/training-state.ts';
import { scratch } from '../support/cli.ts';
import { Faults, faultWays, faultyFiles, savingOptions, savingPairs } from '../support/faults.ts';

let disks = 0;

const run = async (more: TrainOptions) => (await train(savingPairs, { ...savingOptions, ...more })).dispose();

/** Files of memory with a copy of others. */
async function copyOf(files: Files, folder: string): Promise<{ files: Files; map: Map<string, Uint8Array> }> {
  const map = new Map<string, Uint8Array>();
  const copy = memoryFiles(map);
  for (const name of await files.list(folder))
    await copy.write(`${folder}/${name}`, (await files.read(`${folder}/${name}`)).slice());
  return { files: copy, map };
}
const use = (files: Files) => registerHost({ files, modelPath: (name) => name });

const trained = memoryFiles();
beforeAll(async () => {
  use(trained);
  await run({ steps: 2 });
  await trained.write('run/notes.md', new TextEncoder().encode('mine'));
});

it('a flipped bit in each file is found, and the file named, by what reads it', async () => {
  const unread: string[] = [];
  for (const name of await trained.list('run')) {
    const { files, map } = await copyOf(trained, 'run');
    const bytes = map.get(`run/${name}`) as Uint8Array;
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] as number) ^ 4;
    use(files);
    const outcomes: string[] = [];
    const tell = (error: Error) => outcomes.push(error.message);
    const onEvent = (event: JobEvent) => {
      if (event.type === 'warning') outcomes.push(event.text);
    };
    await loadModel('run', { device: 'cpu' })
      .then((model) => model.translate('ab'))
      .catch(tell);
    await run({ steps: 3, resume: true, onEvent }).catch(tell);
    if (outcomes.length === 0) unread.push(name);
    for (const message of outcomes) expect(message).toContain(name);
  }
  expect(unread).toEqual(['notes.md']); // the user's file is none of heddle's
});

/** Files whose writes fail from the n-th on: a full disk. `after`: called when one fails. */
function fullAfter(files: Files, n: number, after: () => void): Files {
  let writes = 0;
  const check = (path: string) => {
    if (++writes <= n) return;
    after();
    throw new HeddleError(`${path}: the disk is full`, { kind: 'quota' });
  };
  return {
    ...files,
    write: async (path, bytes) => {
      check(path);
      await files.write(path, bytes);
    },
    append: async (path, bytes) => {
      check(path);
      await appendFile(files, path, bytes);
    },
  };
}

/** Names and contents of the user's files in a folder of a run. */
const mine = ['notes.md', '.gitignore', 'plots/a.png'];

describe.each([
  ['memory', () => ({ files: memoryFiles(), at: 'run' })],
  ['a disk', () => ({ files: nodeFiles(), at: join(scratch(), `${disks++}`, 'run') })],
])('in %s, a run that resumes', (_, open) => {
  const weights = async (files: Files, folder: string) =>
    (await readManifest(files, folder))?.files['model.safetensors']?.sha256;
  /** The weights of an undisturbed run after each step from the second. */
  const expected: (string | undefined)[] = [];
  beforeAll(async () => {
    const { files, at } = open();
    use(files);
    for (const steps of [2, 3, 4]) {
      await run({ checkpoint: at, steps, resume: steps > 2 });
      expected.push(await weights(files, at));
    }
    expect(new Set(expected).size).toBe(3);
  });

  /**
   * Resumes a run of 2 steps to 3, on the files that `sabotaged` makes of its files, and expects one of the two
   * checkpoints and all files of the user. Then it resumes to 4 as if nothing had happened.
   */
  async function expectWhole(moment: string, sabotaged: (files: Files) => Files): Promise<void> {
    const { files, at } = open();
    use(files);
    await run({ checkpoint: at, steps: 2 });
    const kept = [at, `${at}.step-1`];
    for (const folder of kept) for (const name of mine) await writeText(files, `${folder}/${name}`, name);
    const expectMine = async () => {
      for (const folder of kept)
        for (const name of mine) expect(await readText(files, `${folder}/${name}`), moment).toBe(name);
    };
    use(sabotaged(files));
    await run({ checkpoint: at, steps: 3, resume: true }).catch((error) =>
      expect(errorKind(error), error.message).toBeDefined(),
    );
    // The next reader finishes or drops what was interrupted.
    use(files);
    const folder = await settledFolder(files, at);
    await verifyFolder(files, folder);
    expect(expected.slice(0, 2), moment).toContain(await weights(files, at));
    expect((await readTrainingState(files, folder)).step, moment).toBeGreaterThan(1);
    await (await loadModel(at, { device: 'cpu' })).translate('ab');
    await expectMine();
    await run({ checkpoint: at, steps: 4, resume: true });
    expect(await weights(files, at), moment).toBe(expected[2]);
    // Those of step 3 may be missing, and then those of step 2 are kept.
    const steps: number[] = [];
    for (const step of [2, 3, 4]) {
      await verifyFolder(files, `${at}.step-${step}`);
      const kept = await weights(files, `${at}.step-${step}`);
      if (kept !== undefined) steps.push(step);
      expect([undefined, expected[step - 2]], moment).toContain(kept);
    }
    expect([steps.length, steps.at(-1)], moment).toEqual([2, 4]);
    await expectMine();
    await removeOwnFolder(files, at);
  }

  it.each(faultWays)(
    'with a fault (%s) at each operation loses neither the old nor the new model, nor a file of the user',
    async (way) => {
      let at = 0;
      for (let happened = true; happened; at++) {
        const faults = new Faults(way, at, () => new HeddleError('input/output error', { kind: 'input' }));
        await expectWhole(`operation ${at}`, (files) => faultyFiles(files, faults));
        happened = faults.happened;
      }
      console.log(`${way}: ${at} runs`);
      expect(at).toBeGreaterThan(50);
    },
  );

  it('with a full disk from each write on loses neither the old nor the new model, nor a file of the user', async () => {
    let at = 0;
    for (let isFull = true; isFull; at++) {
      isFull = false;
      await expectWhole(`write ${at}`, (files) =>
        fullAfter(files, at, () => {
          isFull = true;
        }),
      );
    }
    expect(at).toBeGreaterThan(5);
  });
});
