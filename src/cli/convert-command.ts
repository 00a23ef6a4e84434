// heddle convert

import { type Command, Option } from 'commander';
import { type ModelFormat, modelFormats } from '../api/save-model.ts';
import { HeddleError } from '../core/errors.ts';
import { nodeFiles } from '../host/node-files.ts';
import { withoutEndSlash } from './out-folder.ts';
import { print } from './output.ts';
import { runWithProgress } from './run-command.ts';

interface Options {
  to: ModelFormat;
  dtype?: 'f32' | 'f16' | 'bf16';
  force?: boolean;
  adapter?: string;
}

/** Adds the command `convert`. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('write a model folder in another layout; what the layout cannot express is refused by name')
    .argument('<dir>', 'model folder: heddle, BART or MarianMT (Hugging Face), PyTorch or Keras')
    .argument('<out>', 'folder to write')
    .addOption(
      new Option(
        '--to <layout>',
        "heddle; bart or marian: as transformers reads them; pytorch: the state_dict of a module with an nn.Transformer; keras: Keras's example",
      )
        .choices(modelFormats)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--dtype <type>', 'of the weights of bart and marian (default: as they came, or f32)').choices([
        'f32',
        'f16',
        'bf16',
      ]),
    )
    .option('--adapter <dir>', 'low-rank adapter that is merged into the weights')
    .option('--force', 'replace what is in <out>')
    .action(async (folder: string, given: string, { to, dtype, force, adapter }: Options) => {
      const out = withoutEndSlash(given);
      const files = nodeFiles();
      if (!force && (await files.exists(out)))
        throw new HeddleError(`convert: ${out} is there already; --force replaces it, or name another`);
      const { parameters } = await runWithProgress(
        'convert',
        { folder, out, to, ...(dtype && { dtype }), ...(adapter && { adapter }) },
        { host: 'cpu' },
        [folder, out, ...(adapter ? [adapter] : [])],
      );
      print(`${out}: ${to}, ${parameters.toLocaleString('en')} parameters`);
    });
}
