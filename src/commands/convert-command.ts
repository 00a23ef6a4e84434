// heddle convert

import { type Command, Option } from 'commander';
import type { SaveOptions } from '../api/save-model.ts';
import { HeddleError, shellQuote } from '../core/errors.ts';
import type { LanguageOptions } from '../decode/text-options.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { withoutEndSlash } from '../files/files.ts';
import { type ModelFormat, modelFormats } from '../formats/shared/model-formats.ts';
import { onnxDtypes } from '../formats/shared/saved-model.ts';
import { nodeFiles } from '../host/node-files.ts';
import type { ConvertArguments, Converted } from './jobs/convert-job.ts';
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
  to: ModelFormat | 'torch-run';
  dtype?: NonNullable<SaveOptions['dtype']>;
  force?: boolean;
  loraAdapter?: string;
  steps?: number;
  languagePair?: string;
  shortlist?: string;
  calibration?: string;
}

/** Jobs of the command. */
interface Jobs {
  readonly convert: CommandJob<ConvertArguments, Converted>;
}

/** Adds the command `convert`. */
export function addConvert(program: Command, jobs: Jobs): void {
  const command = program
    .command('convert')
    .description(
      'convert a model to the format of another library, or a checkpoint to continue it in PyTorch',
    )
    .argument(
      '<dir>',
      'model: a folder, a .zip or a .safetensors file of heddle, Hugging Face, PyTorch or Keras; torch-run: a checkpoint of heddle train',
    )
    .argument('<out>', 'folder to write')
    .addOption(
      new Option(
        '--to <format>',
        "heddle; bart, marian, mbart, m2m_100, pegasus, t5 or mt5 for Hugging Face's transformers; pytorch: state_dict with an nn.Transformer; keras: the model of Keras's translation example; onnx: a folder for transformers.js; marian-npz, marian-bin: the files of Marian; firefox: those of Firefox Translations, with int8 matrices; torch-run: a folder with continue.py, which continues the training with torchrun",
      )
        .choices([...modelFormats, 'torch-run'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--dtype <type>',
        'dtype of the weights; heddle: f32, f16, int8 (default: f32); bart, marian, ...: f32, f16, bf16 (default: that of the source checkpoint, or f32); onnx: fp32, fp16, q8 (default: fp32)',
      ).choices(['f32', 'f16', 'bf16', 'int8', ...onnxDtypes]),
    )
    .option(
      '--language-pair <codes>',
      'firefox: languages in the names of the files, for example enes (default: those of the files of <dir>)',
    )
    .option(
      '--shortlist <file>',
      'firefox: shortlist, or a lexical table to make it of: lines of target token, source token, probability, as heddle align --lexical-table writes them (default: the shortlist of <dir>)',
    )
    .option(
      '--calibration <file>',
      'firefox: measure the multipliers of the inputs of int8 products (alphas) on the texts of this file: a source in each line, with its translation behind a tab if there is one (default: the multipliers of <dir>)',
    )
    .addOption(hostOption())
    .addOption(adapterOption())
    .addOption(loraOption());
  addLanguageOptions(command)
    .option(
      '--steps <n>',
      'torch-run: total number of updates of the run, for which <out> has the data (default: the planned number, or the end of the schedule)',
      whole(1),
    )
    .option('--force', 'replace <out> if it exists')
    .addOption(jsonOption())
    .action(async (folder: string, given: string, options: Options) => {
      const { to, dtype, force, loraAdapter: lora, sourceLang, targetLang, steps, json } = options;
      const out = withoutEndSlash(given);
      await checkNewFolder(nodeFiles(), out, force);
      for (const input of [folder, lora ?? folder])
        if (isModelIn(input, out) && (await archiveFiles(nodeFiles()).exists(`${out}/state.json`)))
          throw new HeddleError(
            `convert: ${given} is the checkpoint itself, and would lose its optimizer; name another folder`,
          );
      const { languagePair, shortlist, calibration, host, adapter } = options;
      const args = {
        folder,
        out,
        to,
        dtype,
        lora,
        sourceLang,
        targetLang,
        steps,
        force,
        languagePair,
        shortlist,
        calibration,
      };
      // Only calibration computes.
      const where = calibration === undefined ? 'cpu' : host;
      const paths = [folder, out, lora, shortlist, calibration].filter((path) => path !== undefined);
      await runAndPrint(jobs.convert, args, { host: where, adapter, json, tune: false }, describe, paths);
    });
}

function describe({ out, to, parameters, steps }: Converted): string {
  const line = `${out}: ${to}, ${parameters.toLocaleString('en')} parameters`;
  if (!steps) return line;
  return `${line}, data of steps ${steps.first} to ${steps.last}\ntorchrun --nproc-per-node N ${shellQuote(`${out}/continue.py`)} ${shellQuote(out)}`;
}
