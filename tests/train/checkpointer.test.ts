// Where checkpoints of a running training are kept, and what happens where they cannot be.
import { afterEach, expect, it, vi } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { type CheckpointerOptions, createCheckpointer } from '../../src/train/checkpoints.ts';
import type { CheckpointFolder } from '../../src/train/train-arguments.ts';

afterEach(() => vi.restoreAllMocks());

/** A keeper whose saves write the step as a file; `run(step, final)` does what is due. */
function made(options: Partial<CheckpointerOptions>, fails: (place: CheckpointFolder) => boolean = () => false) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const [files, memory] = [memoryFiles(), memoryFiles()];
  const said: string[] = [];
  const keeper = createCheckpointer({
    out: { files, folder: 'out' },
    saveSteps: 0,
    saveSeconds: 0,
    memory,
    onSaved: (step) => said.push(`saved ${step}`),
    onFailed: (error) => said.push(`failed ${error.message}`),
    ...options,
  });
  let at = 0;
  const save = async (place: CheckpointFolder) => {
    if (fails(place)) throw new HeddleError('no room');
    await place.files.write(`${place.folder}/step`, new Uint8Array([at]));
    now += 100;
  };
  const pauses = keeper.pauses(() => at, save);
  return {
    keeper,
    files,
    memory,
    said,
    async run(step: number, seconds: number, final = false) {
      at = step;
      now = seconds * 1000;
      const due = pauses.filter((p) => final || (p.every > 0 && step % p.every === 0) || p.due?.());
      for (const { pause } of due) await pause(0, final);
      return due.length;
    },
  };
}

it('keeps snapshots in memory every half a minute, and at the end the folder alone', async () => {
  const { keeper, files, memory, said, run } = made({});
  expect(await run(3, 29)).toBe(0);
  expect(await run(4, 31)).toBe(1);
  expect(await memory.exists('out/step')).toBe(true);
  expect(await files.exists('out/step')).toBe(false);
  expect(keeper.step).toBe(4);
  await run(9, 40, true);
  expect(await memory.exists('out/step')).toBe(false);
  expect(await files.read('out/step')).toEqual(new Uint8Array([9]));
  expect(said).toEqual(['saved 9']);
});

it('saves in the folder by steps or by seconds, each step once', async () => {
  const { said, run } = made({ saveSteps: 5, saveSeconds: 20 });
  await run(4, 15);
  await run(5, 21); // both are due
  await run(6, 30);
  await run(7, 42);
  await run(7, 43, true);
  expect(said).toEqual(['saved 5', 'saved 7']);
});

it('takes at most a fiftieth of the time for saving by the clock', async () => {
  const { said, run } = made({ saveSeconds: 1 });
  await run(1, 2); // takes 0.1 s: the next is due 5 s after it
  await run(2, 7);
  await run(3, 7.2);
  expect(said).toEqual(['saved 1', 'saved 3']);
});

it('tells of a folder that cannot be written, keeps the snapshot in memory, and fails at the end alone', async () => {
  let full = true;
  const { keeper, files, memory, said, run } = made({ saveSteps: 2 }, (place) => full && place.files !== spare());
  const spare = () => memory;
  await run(2, 1);
  expect(said).toEqual(['failed no room']);
  expect(keeper.last?.files).toBe(memory);
  expect(await memory.read('out/step')).toEqual(new Uint8Array([2]));
  await expect(run(3, 2, true)).rejects.toThrow('no room');
  expect(await memory.read('out/step')).toEqual(new Uint8Array([3]));
  full = false;
  await run(4, 3);
  expect(await files.read('out/step')).toEqual(new Uint8Array([4]));
  expect(await memory.exists('out/step')).toBe(false);
});
