// heddle convert

import { type Command, Option } from 'commander';
import { type ModelFormat, modelFormats, type SaveOptions } from '../api/save-model.ts';
import { HeddleError } from '../core/errors.ts';
import { onnxDtypes } from '../formats/shared/saved-model.ts';
import { nodeFiles } from '../host/node-files.ts';
import { withoutEndSlash } from './out-folder.ts';
import { print } from './output.ts';
import { loraOption } from './parse-values.ts';
import { runWithProgress } from './run-command.ts';

interface Options {
  to: ModelFormat;
  dtype?: NonNullable<SaveOptions['dtype']>;
  force?: boolean;
  loraAdapter?: string;
}

/** Adds the command `convert`. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('write a model in the format of another library')
    .argument('<dir>', 'model: a folder, a .zip or a .safetensors file of heddle, Hugging Face, PyTorch or Keras')
    .argument('<out>', 'folder to write')
    .addOption(
      new Option(
        '--to <format>',
        "heddle; bart or marian for Hugging Face's transformers; pytorch: state_dict with an nn.Transformer; keras: the model of Keras's translation example; onnx: a folder for transformers.js",
      )
        .choices(modelFormats)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--dtype <type>',
        'type of the weights; bart, marian: f32, f16, bf16 (default: that of the source checkpoint, or f32); onnx: fp32, fp16, q8 (default: fp32)',
      ).choices(['f32', 'f16', 'bf16', ...onnxDtypes]),
    )
    .addOption(loraOption())
    .option('--force', 'replace <out> if it exists')
    .action(async (folder: string, given: string, { to, dtype, force, loraAdapter: adapter }: Options) => {
      const out = withoutEndSlash(given);
      const files = nodeFiles();
      if (!force && (await files.exists(out)))
        throw new HeddleError(`convert: ${out} exists already; use --force to replace it, or another folder`);
      const { parameters } = await runWithProgress(
        'convert',
        { folder, out, to, ...(dtype && { dtype }), ...(adapter && { adapter }) },
        { host: 'cpu' },
        [folder, out, ...(adapter ? [adapter] : [])],
      );
      print(`${out}: ${to}, ${parameters.toLocaleString('en')} parameters`);
    });
}
