// heddle pack and heddle unpack: a model folder as one file, as the page saves and opens it, and back.

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
  const force = ['--force', 'replace what is there'] as const;
  program
    .command('pack')
    .description('write a model folder as one file, which the page opens too')
    .argument('<dir>', 'model folder')
    .argument('<file.zip>', 'archive to write')
    .option(...force)
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(to)) throw new HeddleError(`pack: ${to}: the name of an archive ends in .zip`);
      await copy(from, to, options);
    });
  program
    .command('unpack')
    .description('write an archive, as the page saves it, as a model folder')
    .argument('<file.zip>', 'archive')
    .argument('<dir>', 'model folder to write')
    .option(...force)
    .action(async (from: string, to: string, options: Options) => {
      if (!/\.zip$/i.test(from)) throw new HeddleError(`unpack: ${from}: the name of an archive ends in .zip`);
      if (/\.zip$/i.test(to)) throw new HeddleError(`unpack: ${to}: a folder's name must not end in .zip`);
      await copy(from, to, options);
    });
}

async function copy(from: string, target: string, { force }: Options): Promise<void> {
  const files = archiveFiles(nodeFiles());
  const to = withoutEndSlash(target);
  if (!(await files.exists(from))) throw new HeddleError(`${from}: there is no such file or folder`);
  if (!(await isModelFolder(files, from))) throw new HeddleError(`${from}: there is no model in it`);
  if (await files.exists(to)) {
    if (!force) throw new HeddleError(`${to}: it is there already; --force replaces it`);
    if (!(await isModelFolder(files, to))) throw new HeddleError(`${to}: it is not a model, so it is not replaced`);
  }
  await copyFolder(files, from, files, to);
  print(`${from} written as ${to}`);
}
