// heddle average

import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { withoutEndSlash } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { AverageArguments, Averaged } from './jobs/average-job.ts';
import { outFolder } from './out-folder.ts';
import type { JsonOption } from './output.ts';
import { isModelIn } from './output-file.ts';
import { jsonOption } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { runAndPrint } from './run-command.ts';

interface Options {
  readonly out: string;
  readonly force?: boolean;
  readonly mixed?: boolean;
  readonly json?: JsonOption;
}

/** Jobs of the command. */
interface Jobs {
  readonly average: CommandJob<AverageArguments, Averaged>;
}

/** Adds the command `average`. */
export function addAverage(program: Command, jobs: Jobs): void {
  program
    .command('average')
    .description('average the weights of checkpoints of one training run, e.g. of heddle train --keep-last N')
    .argument('<checkpoint...>', 'model folders with the same configuration and vocabulary')
    .requiredOption('--out <dir>', 'folder or .zip file to write')
    .option('--force', 'replace the model in --out')
    .option('--mixed', 'average checkpoints of different training runs too')
    .addOption(jsonOption())
    .action(async (folders: string[], options: Options) => {
      const out = await outFolder(archiveFiles(nodeFiles()), 'average', options);
      if (folders.some((folder) => isModelIn(folder, out)))
        throw new HeddleError(
          msg`${options.out} is one of the checkpoints; name another folder for the mean`,
          { area: 'average' },
        );
      const { mixed } = options;
      const args = { folders: folders.map(withoutEndSlash), out, mixed };
      await runAndPrint(
        jobs.average,
        args,
        { host: 'cpu', json: options.json },
        ({ models, parameters }) =>
          `${out}: mean of ${models} models, ${parameters.toLocaleString('en')} parameters`,
      );
    });
}
