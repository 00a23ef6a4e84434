// Folders of the last steps of another run beside a model folder.
import { expect, it } from 'vitest';
import { archiveFiles } from '../../../src/files/archive-files.ts';
import { writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { checkStepFolders } from '../../../src/train/run/step-folders.ts';
import { errorAbout } from '../../support/expect-error.ts';

it('names a folder of steps that another run wrote', async () => {
  const files = archiveFiles(memoryFiles());
  const weights = { 'config.json': new Uint8Array(1) };
  const refused = (out: string) =>
    expect(checkStepFolders(files, out, true)).rejects.toThrow(
      errorAbout({ options: ['keepLast'], values: ['a/m'] }),
    );
  await writeFolder(files, 'a/m.step-2', weights, { run: 'one' });
  await writeText(files, 'a/m.step-3/notes.txt', 'mine'); // checked when it is written
  await refused('a/m');
  await checkStepFolders(files, 'a/n', false);
  await checkStepFolders(files, 'a/m.zip', false);
  await writeFolder(files, 'a/m', weights, { run: 'two' });
  await refused('a/m');
  await writeFolder(files, 'a/m', weights, { run: 'one' });
  await checkStepFolders(files, 'a/m', false);
  await writeFolder(files, 'a/m.step-2.zip', weights, { run: 'one' });
  await refused('a/m.zip');
});
