// A training and its folder beside a saboteur: a bit flips in each file, the disk is full at each write, each
// operation on files fails or is the last one before the process dies.

import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/api/load-model.ts';
import { type TrainOptions, train } from '../../src/api/train.ts';
import { errorKind, HeddleError } from '../../src/core/errors.ts';
import type { Files } from '../../src/files/files.ts';
import { verifyFolder } from '../../src/files/folder-commit.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { settledFolder } from '../../src/files/settled-folder.ts';
import { registerHost } from '../../src/session/host.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import { readTrainingState } from '../../src/train/update/training-state.ts';

const options: TrainOptions = {
  device: 'cpu',
  tune: false,
  checkpoint: 'run',
  tokenizer: 'char',
  batchSize: 4,
  heldOut: 0,
  saveSteps: 1,
  model: { dModel: 4, heads: 1, encoderLayers: 1, decoderLayers: 1, feedForward: 4, maxLength: 8 },
};
const pairs = ['ab', 'ba', 'cab', 'bac'].map((source) => ({
  source,
  target: [...source].reverse().join(''),
}));
const run = async (more: TrainOptions) => (await train(pairs, { ...options, ...more })).dispose();

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

/** An operation that changes files, and whether it may still be done. */
type Saboteur = (operation: string, path: string) => void;
function sabotaged(files: Files, before: Saboteur): Files {
  return {
    ...files,
    write: async (path, bytes) => {
      before('write', path);
      await files.write(path, bytes);
    },
    append: async (path, bytes) => {
      before('append', path);
      const old = (await files.exists(path)) ? await files.read(path) : new Uint8Array();
      await files.write(path, Uint8Array.from([...old, ...bytes]));
    },
    rename: async (from, to) => {
      before('rename', from);
      await files.rename(from, to);
    },
    remove: async (path) => {
      before('remove', path);
      await files.remove(path);
    },
  };
}

describe('a run that resumes', () => {
  const faults: Readonly<Record<string, (n: number) => Saboteur>> = {
    /** The disk is full from the n-th write on. */
    'with a full disk from each write on': (n) => {
      let writes = 0;
      return (operation, path) => {
        if ((operation === 'write' || operation === 'append') && ++writes > n)
          throw new HeddleError(`${path}: the disk is full`, { kind: 'quota' });
      };
    },
    /** One operation fails, and all later ones work. */
    'with a fault at each operation': (n) => {
      let operations = 0;
      return (_, path) => {
        if (++operations === n + 1) throw new HeddleError(`${path}: input/output error`, { kind: 'input' });
      };
    },
    /** Nothing is done any more, as if the process had been killed. */
    'killed before each operation': (n) => {
      let operations = 0;
      return (_, path) => {
        if (++operations > n) throw new HeddleError(`${path}: killed`, { kind: 'input' });
      };
    },
  };

  it.each(Object.entries(faults))(
    '%s loses neither the old nor the new model, nor a file of the user',
    async (_, fault) => {
      let n = 0;
      for (let whole = false; !whole; n++) {
        const { files } = await copyOf(trained, 'run');
        let failed = false;
        const saboteur = fault(n);
        use(
          sabotaged(files, (operation, path) => {
            try {
              saboteur(operation, path);
            } catch (error) {
              failed = true;
              throw error;
            }
          }),
        );
        await run({ steps: 4, resume: true }).catch((error) =>
          expect(errorKind(error), error.message).toBeDefined(),
        );
        whole = !failed;
        // The next reader finishes or drops what was interrupted.
        use(files);
        const folder = await settledFolder(files, 'run');
        await verifyFolder(files, folder);
        expect(new TextDecoder().decode(await files.read('run/notes.md'))).toBe('mine');
        const { step } = await readTrainingState(files, folder);
        expect(step).toBeGreaterThan(1);
        await (await loadModel('run', { device: 'cpu' })).translate('ab');
        if (n % 5 === 0) await run({ steps: 5, resume: true });
      }
      expect(n).toBeGreaterThan(5);
    },
  );
});
