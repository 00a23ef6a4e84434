// heddle pull

import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import { defaultHub } from '../hub/repository.ts';
import { withoutEndSlash } from './out-folder.ts';
import { print, table } from './output.ts';
import { runWithProgress } from './run-command.ts';

interface Options {
  out?: string;
  revision: string;
  hub: string;
  force?: boolean;
}

/** Adds the command `pull`. */
export function addPull(program: Command): void {
  program
    .command('pull')
    .description('fetch a model from the Hugging Face hub; a download that was cut off goes on where it was')
    .argument('<owner/name>', 'the model, as Helsinki-NLP/opus-mt-en-es')
    .option('--out <dir>', 'folder to make (default: models/NAME)')
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('--force', 'replace a folder that is there')
    .addOption(new Option('--hub <url>', 'the hub to ask').env('HF_ENDPOINT').default(defaultHub))
    .addHelpText('after', '\nFor a model that is not public put an access token into HF_TOKEN.')
    .action(async (name: string, { out, revision, hub, force }: Options) => {
      const token = process.env.HF_TOKEN?.trim();
      const folder = withoutEndSlash(out ?? `models/${name.split('/').pop()}`);
      if (folder.replaceAll(/[./\\]/g, '') === '')
        throw new HeddleError(`--out ${out}: name a folder of the model's own`);
      const { files } = await runWithProgress(
        'pull',
        { name, revision, hub, out: folder, ...(force && { force }), ...(token && { token }) },
        { host: 'cpu' },
      );
      print(
        `${table(
          files.map((file) => [file.name, formatBytes(file.bytes)]),
          [1],
        )}\n${folder}`,
      );
    });
}
