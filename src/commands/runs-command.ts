// heddle runs

import type { Command } from 'commander';
import type { RunSummary } from '../api/run-summaries.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { RunsArguments } from './jobs/runs-job.ts';
import { log } from './output.ts';
import { checkOutputFile } from './output-file.ts';
import { jsonOption } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';
import { runsReport } from './runs-report.ts';
import { describeRuns } from './runs-table.ts';

/** Options of the command. */
interface Options extends HostOptions {
  readonly report?: string;
  readonly force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly runs: CommandJob<RunsArguments, RunSummary[]>;
}

/** Adds the command `runs`. */
export function addRuns(program: Command, jobs: Jobs): void {
  program
    .command('runs')
    .description(
      'compare training runs: the settings that differ, steps, best dev metrics, time, MFU, adapter, mean and standard deviation over seeds',
    )
    .argument('<dir...>', 'model folders of heddle train, or folders that contain them, e.g. runs')
    .option('--report <file>', 'write an HTML report that compares the runs')
    .option('--force', 'overwrite the files of --report and --json')
    .addOption(jsonOption())
    .action(async (folders: string[], { json, report, force }: Options) => {
      if (report !== undefined) checkOutputFile('--report', report, { force });
      const found = await runAndPrint(jobs.runs, { folders }, { host: 'cpu', json }, (runs) =>
        describeRuns(runs),
      );
      if (report === undefined) return;
      await writeText(nodeFiles(), report, runsReport(found));
      log(`report ${report}`);
    });
}
