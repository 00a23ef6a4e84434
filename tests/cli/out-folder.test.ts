// The output folder of a training run, empty or with files in it.
import { describe, expect, it } from 'vitest';
import { outFolder } from '../../src/cli/out-folder.ts';
import { writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';

async function filesWith(...folders: string[]) {
  const files = memoryFiles();
  for (const folder of folders) await writeText(files, `${folder}/config.json`, '{"format":"heddle"}');
  return files;
}

describe('a save that was cut off between its two renames', () => {
  it('keeps an existing model unless --force is given', async () => {
    const files = await filesWith('m.previous');
    await expect(outFolder(files, 'name', { out: 'm' })).rejects.toThrow(
      /^--out m: a model exists \(m\.previous: saving was cut off\); --resume continues its training, --force replaces it/,
    );
    expect(await outFolder(files, 'name', { out: 'm', resume: true })).toBe('m');
    expect(await outFolder(files, 'name', { out: 'm/', force: true })).toBe('m');
  });

  it('keeps its name reserved when a run without --out picks a name', async () => {
    expect(await outFolder(await filesWith('runs/pairs.previous', 'runs/pairs-2'), 'pairs', {})).toBe('runs/pairs-3');
  });
});

it('rejects a folder if another file has the name that a save renames it to', async () => {
  const files = memoryFiles();
  await writeText(files, 'm.previous/mine.txt', 'mine');
  await expect(outFolder(files, 'name', { out: 'm', force: true })).rejects.toThrow(
    '--out m: m.previous contains something that is not a model; name another folder',
  );
});
