// heddle pull

import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import { withoutEndSlash } from '../files/files.ts';
import type { PulledModel } from '../files/hub/pull-model.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { defaultHub } from '../session/host.ts';
import type { PullArguments } from './jobs/pull-job.ts';
import { table } from './output.ts';
import { checkNamed } from './output-file.ts';
import { jsonOption, memoryBudgetOption, weightsOption } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends Pick<HostOptions, 'json' | 'memoryBudget'> {
  weights?: WeightFormat;
  out?: string;
  revision: string;
  hub: string;
  registry?: string;
  baseUrl?: string;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly pull: CommandJob<PullArguments, PulledModel>;
}

/** Adds the command `pull`. */
export function addPull(program: Command, jobs: Jobs): void {
  program
    .command('pull')
    .description(
      'download a model from the Hugging Face hub, or of Firefox Translations; an interrupted download is resumed',
    )
    .argument(
      '<name>',
      'model on the hub, for example Helsinki-NLP/opus-mt-en-es; or a pair of languages of Firefox Translations, for example en-es',
    )
    .option('--out <dir>', 'folder to write (default: models/NAME)')
    .option(
      '--revision <name>',
      'branch, tag or commit of the model; architecture of a model of Firefox, for example base-memory',
      'main',
    )
    .option(
      '--registry <url>',
      'pair of languages: JSON record of the models (default: db/models.json, models.json or registry.json at --base-url)',
    )
    .option(
      '--base-url <url>',
      "pair of languages: base address of the files (default: that of the record, or Mozilla's)",
    )
    .addOption(
      memoryBudgetOption(
        'maximum GPU and JavaScript memory together that a model of the hub may need, for example 1G: one that needs more is an error before its weights are downloaded',
      ),
    )
    .addOption(weightsOption('format of the weights in which the model will be loaded, for --memory-budget'))
    .option('--force', 'replace the folder if it exists')
    .addOption(jsonOption())
    .addOption(new Option('--hub <url>', 'URL of the hub').env('HF_ENDPOINT').default(defaultHub))
    .addHelpText('after', '\nSet HF_TOKEN to an access token for models that are not public.')
    .action(
      async (
        name: string,
        { out, revision, hub, force, json, registry, baseUrl, memoryBudget, weights }: Options,
      ) => {
        const token = process.env.HF_TOKEN?.trim();
        if (out !== undefined) checkNamed('--out', out);
        const folder = withoutEndSlash(out ?? `models/${name.split('/').pop()}`);
        if (folder.replaceAll(/[./\\]/g, '') === '')
          throw new HeddleError('use a folder for this model only', { area: `--out ${out}` });
        const place = { name, revision, hub, registry, baseUrl, token: token || undefined };
        const args = { ...place, out: folder, force, weights };
        await runAndPrint(
          jobs.pull,
          args,
          { host: 'cpu', json, memoryBudget, left: 'the same command continues' },
          ({ files }) => {
            const rows = files.map((file) => [file.name, formatBytes(file.bytes)]);
            return `${table(rows, [1])}\n${folder}`;
          },
        );
      },
    );
}
