// heddle pack and heddle unpack: a model folder to a .zip file and back.

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { copyFolder } from '../files/files.ts';
import { isModelFolder } from '../formats/model-folder.ts';
import { nodeFiles } from '../host/node-files.ts';
import { withoutEndSlash } from './out-folder.ts';
import { print } from './output.ts';

interface Options {
  readonly force?: boolean;
}

/** Adds the commands `pack` and `unpack`. */
export function addPack(program: Command): void {
  const force = ['--force', 'replace the target if it exists'] as const;
  program
    .command('pack')
    .description('pack a model folder into a .zip file, which the page can open')
    .argument('<dir>', 'model folder')
    .argument('<file.zip>', 'file to write')
    .option(...force)
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(to)) throw new HeddleError(`pack: ${to}: the file name must end in .zip`);
      await copy(from, to, options);
    });
  program
    .command('unpack')
    .description('unpack a .zip file, for example one that the page saved, into a model folder')
    .argument('<file.zip>', 'packed model')
    .argument('<dir>', 'folder to write')
    .option(...force)
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(from)) throw new HeddleError(`unpack: ${from}: the file name must end in .zip`);
      if (/\.zip$/i.test(to)) throw new HeddleError(`unpack: ${to}: the name of a folder must not end in .zip`);
      await copy(from, to, options);
    });
}

async function copy(from: string, target: string, { force }: Options): Promise<void> {
  const files = archiveFiles(nodeFiles());
  const to = withoutEndSlash(target);
  if (!(await files.exists(from))) throw new HeddleError(`${from}: there is no such file or folder`);
  if (!(await isModelFolder(files, from))) throw new HeddleError(`${from}: it contains no model`);
  if (await files.exists(to)) {
    if (!force) throw new HeddleError(`${to}: it exists already; use --force to replace it`);
    if (!(await isModelFolder(files, to))) throw new HeddleError(`${to}: it is not a model and is not replaced`);
  }
  await copyFolder(files, from, files, to);
  print(`wrote ${to}`);
}
