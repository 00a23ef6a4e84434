// heddle convert

import { type Command, Option } from 'commander';
import type { ConvertArguments, Converted } from '../api/convert-folder.ts';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import { features } from '../features/features.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { withoutEndSlash } from '../files/files.ts';
import { mainFormats } from '../formats/main-formats.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { CheckpointTarget, ConvertedRun } from './checkpoint-target.ts';
import { checkNewFolder } from './out-folder.ts';
import { isModelIn } from './output-file.ts';
import {
  adapterOption,
  addLanguageOptions,
  hostOption,
  jsonOption,
  loraOption,
  whole,
} from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';

interface Options extends LanguageOptions, Pick<HostOptions, 'json' | 'host' | 'adapter'> {
  to?: string;
  dtype?: string;
  force?: boolean;
  lora?: string;
  card: boolean;
  steps?: number;
}

/** Jobs of the command. */
interface Jobs {
  readonly convert: CommandJob<ConvertArguments, Converted>;
}

/** The formats that a model can be converted to. */
const formats = [...mainFormats, ...features.formats].filter(
  ({ names, write }) => write && !names.includes('lora'),
);

/** `bart, t5: title` for each format. */
const describedFormats = formats.map(({ names, title }) => `${names.join(', ')}: ${title}`).join('; ');

/** `onnx: fp32, fp16 (default: fp32)` for each format with a choice of dtypes. */
const describedDtypes = formats
  .flatMap(({ names, dtypes, defaultDtype }) =>
    dtypes ? [`${names.join(', ')}: ${dtypes.join(', ')} (default: ${defaultDtype})`] : [],
  )
  .join('; ');

/** The options of formats that have a flag, with the flag and the format. */
const ownOptions = formats.flatMap(({ names: [format = ''], options = {} }) =>
  Object.entries(options).flatMap(([name, { value, help, fromFile }]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return value
      ? [{ name, flag: `--${flag} ${value}`, help: `${format}: ${help}`, isFile: !!fromFile }]
      : [];
  }),
);

/** Adds the command `convert`; `checkpoints`: a target that takes checkpoints. */
export function addConvert(program: Command, jobs: Jobs, checkpoints?: CheckpointTarget): void {
  const describe = (made: Converted & Partial<ConvertedRun>) => described(made, checkpoints);
  const command = program
    .command('convert')
    .description(
      'convert a model to the format of another library, or a checkpoint to continue it in PyTorch',
    )
    .argument(
      '<dir>',
      'model: a folder, a .zip or a .safetensors file of heddle, Hugging Face, PyTorch or Keras; torch-run: a checkpoint of heddle train',
    )
    .argument('<out>', 'folder to write, or an .html file')
    .addOption(
      new Option(
        '--to <format>',
        `${[describedFormats, ...(checkpoints ? [`${checkpoints.name}: ${checkpoints.title}`] : [])].join('; ')} (default: html if <out> ends in .html)`,
      ).choices([...formats.flatMap(({ names }) => names), ...(checkpoints ? [checkpoints.name] : [])]),
    )
    .addOption(
      new Option('--dtype <type>', `dtype of the weights; ${describedDtypes}`).choices([
        ...new Set(formats.flatMap(({ dtypes = [] }) => dtypes)),
      ]),
    )
    .addOption(hostOption())
    .addOption(adapterOption())
    .addOption(loraOption());
  for (const { flag, help } of ownOptions) command.option(flag, help);
  addLanguageOptions(command)
    .option(
      '--steps <n>',
      'torch-run: total number of updates of the run, for which <out> has the data (default: the planned number, or the end of the schedule)',
      whole(1),
    )
    .option('--no-card', 'write no model card (README.md)')
    .option('--force', 'replace <out> if it exists')
    .addOption(jsonOption())
    .action(async (folder: string, target: string, options: Options) => {
      const { dtype, force, lora, sourceLang, targetLang, steps, json, card } = options;
      const out = withoutEndSlash(target);
      const ofFile = formats.find(({ fileEnding }) => fileEnding && out.endsWith(fileEnding));
      const to = options.to ?? ofFile?.names[0];
      if (to === undefined)
        throw new HeddleError('--to names the format; only an .html file needs none', { area: 'convert' });
      if (to !== ofFile?.names[0]) await checkNewFolder(nodeFiles(), out, force);
      for (const input of [folder, lora ?? folder])
        if (isModelIn(input, out) && (await archiveFiles(nodeFiles()).exists(`${out}/state.json`)))
          throw new HeddleError(
            msg`${target} is the checkpoint itself, and would lose its optimizer; name another folder`,
            { area: 'convert' },
          );
      if (to === checkpoints?.name) {
        if (dtype ?? lora ?? sourceLang ?? targetLang)
          throw new HeddleError(
            'torch-run continues a checkpoint without changes; omit --dtype, --lora, --source-lang and --target-lang',
            { area: 'convert' },
          );
        const run = { folder, out, steps };
        await runAndPrint(checkpoints.job, run, { host: 'cpu', json }, describe, [folder, out]);
        return;
      }
      if (steps !== undefined)
        throw new HeddleError(msg`--steps ${steps} is only for torch-run; omit it`, { area: 'convert' });
      const { host, adapter } = options;
      const given = ownOptions.flatMap(({ name, isFile }) => {
        const value = (options as unknown as Record<string, string | undefined>)[name];
        return value === undefined ? [] : [{ name, value, isFile }];
      });
      const args = {
        folder,
        out,
        to,
        dtype,
        lora,
        sourceLang,
        targetLang,
        force,
        card,
        formatOptions: Object.fromEntries(given.map(({ name, value }) => [name, value])),
      };
      // Only calibration computes.
      const where = 'calibration' in args.formatOptions ? host : 'cpu';
      const ownFiles = given.filter(({ isFile }) => isFile).map(({ value }) => value);
      const paths = [folder, out, lora, ...ownFiles].filter((path) => path !== undefined);
      await runAndPrint(jobs.convert, args, { host: where, adapter, json, tune: false }, describe, paths);
    });
}

function described(
  { out, to, parameters, steps }: Converted & Partial<ConvertedRun>,
  checkpoints: CheckpointTarget | undefined,
): string {
  const line = `${out}: ${to}, ${parameters.toLocaleString('en')} parameters`;
  if (!steps) return line;
  return `${line}, data of steps ${steps.first} to ${steps.last}\n${checkpoints?.usage(out) ?? ''}`;
}
