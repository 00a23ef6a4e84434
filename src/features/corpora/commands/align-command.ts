// heddle align

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkOutputFiles } from '../../../commands/output-file.ts';
import {
  addPairFlags,
  checkStdin,
  type PairFlags,
  pairFilesOf,
  pairsHelp,
} from '../../../commands/pair-flags.ts';
import { addHostOptions, deviceOption, jsonOption } from '../../../commands/parse-values.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runAndPrint } from '../../../commands/run-command.ts';
import { HeddleError } from '../../../core/errors.ts';
import { formatPercent } from '../../../core/format-numbers.ts';
import { present } from '../../../core/present.ts';
import { pathsOf } from '../../../text/corpus/pair-files.ts';
import type { AlignArguments, AlignedPairs } from '../align/align-files.ts';

interface Options extends HostOptions, PairFlags {
  out: string;
  pieces?: string;
  lexicalTable?: string;
  model?: string;
  compare?: string;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly align: CommandJob<AlignArguments, AlignedPairs>;
}

/** Adds the command `align`. */
export function addAlign(program: Command, jobs: Jobs): void {
  const command = program
    .command('align')
    .description(
      'align the words of pairs (IBM model 1, both directions; or a model): a line 0-0 1-2 for each pair, as fast_align writes it',
    )
    .argument('[pairs...]', `files of pairs: ${pairsHelp}`)
    .requiredOption(
      '--out <file>',
      'file of the alignments; words are separated by spaces and counted from 0; - is stdout',
    )
    .option(
      '--pieces <dir>',
      'align the pieces into which the tokenizers of this model split the texts (default: words)',
    )
    .option(
      '--lexical-table <file>',
      'also write the translation probabilities: lines of target, source, probability, as in lex.s2t of Marian; heddle convert --to firefox --shortlist reads it',
    )
    .option(
      '--model <dir>',
      'align by the cross-attention of this model, as heddle translate --alignments hard does (default: IBM model 1)',
    )
    .option('--compare <file>', 'print the alignment error rate (AER) against the alignments in this file')
    .option('--force', 'overwrite the files')
    .addOption(jsonOption());
  addPairFlags(command);
  addHostOptions(command).addOption(deviceOption());
  command.action(async (names: string[], options: Options) => {
    const pairs = pairFilesOf(names, options);
    if (!pairs) throw new HeddleError('give files of pairs', { area: 'align' });
    checkStdin([pairs]);
    const out = resolve(options.out);
    const inputs = pathsOf(pairs);
    const { force = false, pieces, lexicalTable } = options;
    const [model, compare] = [options.model, options.compare].map((path) => path && resolve(path));
    if (model && (pieces ?? lexicalTable) !== undefined)
      throw new HeddleError('--model excludes --pieces and --lexical-table, which are for a lexicon');
    const table = lexicalTable && resolve(lexicalTable);
    const outputs = [['--out', out] as const, ['--lexical-table', table] as const];
    checkOutputFiles(outputs, { force, inputs });
    await runAndPrint(
      jobs.align,
      { pairs, out, pieces, table, model, compare },
      model ? options : { ...options, host: 'cpu' },
      ({ out: path, links, pairs: count, errorRate }) =>
        `${path}: ${links} ${links === 1 ? 'link' : 'links'} of ${count} ${count === 1 ? 'pair' : 'pairs'}${errorRate === undefined ? '' : `, AER ${formatPercent(errorRate)}`}`,
      present([...inputs, model, compare]),
    );
  });
}
