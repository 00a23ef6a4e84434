// heddle tokenizer and heddle tokenize: train a SentencePiece model; encode or decode lines with it.

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { TokenizerArguments, TrainedTokenizer } from '../api/tokenizer-training.ts';
import { HeddleError } from '../core/errors.ts';
import { parseJson } from '../files/json-files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { pathsOf } from '../text/corpus/pair-files.ts';
import { openSentencePiece, type SentencePieceProcessor } from '../text/sentencepiece/processor.ts';
import { isTrainedSentencePiece, trainedModelFile } from '../text/sentencepiece/trained-sentencepiece.ts';
import { shownOnTerminal } from './output.ts';
import { checkOutputFiles } from './output-file.ts';
import { addPairFlags, checkStdin, type PairFlags, pairFilesOf, pairsHelp } from './pair-flags.ts';
import { jsonOption, list, whole } from './parse-values.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type HostOptions, runAndPrint } from './run-command.ts';
import { linesOf } from './text-input.ts';

interface Options extends HostOptions, PairFlags {
  out: string;
  kind: 'unigram' | 'bpe';
  vocabSize: number;
  side: 'source' | 'target' | 'both';
  lowercase?: boolean;
  byteFallback?: boolean;
  characterCoverage: number;
  splitDigits?: boolean;
  userSymbols?: string[];
  controlSymbols?: string[];
  specialTokens: 'heddle' | 'marian';
  threads?: number;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly tokenizer: CommandJob<TokenizerArguments, TrainedTokenizer>;
}

/** Adds the command `tokenizer`. */
export function addTokenizer(program: Command, jobs: Jobs): void {
  const command = program
    .command('tokenizer')
    .description(
      'train a SentencePiece model: OUT.model for spm_encode and heddle, OUT.json as tokenizer.json',
    )
    .argument('[files...]', `texts, one per line, or pairs: ${pairsHelp}`)
    .requiredOption('--out <path>', 'path of the files without .model and .json')
    .addOption(new Option('--kind <name>', 'algorithm').choices(['unigram', 'bpe']).default('unigram'))
    .option('--vocab-size <tokens>', 'maximum number of pieces, with special ones and bytes', whole(5), 8000)
    .addOption(
      new Option('--side <name>', 'the side of pairs to train on')
        .choices(['source', 'target', 'both'])
        .default('both'),
    )
    .option('--lowercase', 'fold case (nmt_nfkc_cf)')
    .option('--byte-fallback', 'bytes for characters without a piece (default: from 512 pieces)')
    .option('--no-byte-fallback', 'characters without a piece are the unknown token')
    .option('--character-coverage <fraction>', 'fraction of the characters that get pieces', Number, 0.9995)
    .option('--split-digits', 'make each digit a piece of its own')
    .option('--user-symbols <text...>', 'texts that are always one piece', list)
    .option('--control-symbols <text...>', 'pieces that no text encodes to', list)
    .addOption(
      new Option(
        '--special-tokens <names>',
        'heddle: <pad> 0, <s> 1, </s> 2, <unk> 3; marian: </s> 0, <unk> 1, as the models of Marian and Firefox need',
      )
        .choices(['heddle', 'marian'])
        .default('heddle'),
    )
    .option('--threads <n>', 'number of threads (default: all)', whole(0))
    .option('--force', 'overwrite OUT.model and OUT.json')
    .addOption(jsonOption());
  addPairFlags(command);
  command.action(async (names: string[], options: Options) => {
    const texts = pairFilesOf(names, options);
    if (!texts) throw new HeddleError('give files of texts or pairs', { area: 'tokenizer' });
    checkStdin([texts]);
    const { kind, vocabSize: size, side, lowercase, threads, force = false, characterCoverage } = options;
    if (!(characterCoverage > 0 && characterCoverage <= 1))
      throw new HeddleError('--character-coverage must be above 0 and at most 1');
    const out = resolve(options.out);
    const inputs = pathsOf(texts);
    const json = typeof options.json === 'string' ? options.json : undefined;
    checkOutputFiles(
      [
        ['--out', `${out}.model`],
        ['--out', `${out}.json`],
        ['--json', json],
      ],
      { force, inputs },
    );
    const { byteFallback, splitDigits, userSymbols, controlSymbols } = options;
    const pieces = { byteFallback, characterCoverage, splitDigits, userSymbols, controlSymbols };
    const trained = kind === 'bpe' ? ('sentencepiece-bpe' as const) : kind;
    const special = options.specialTokens;
    const args = { texts, side, out, threads, special, options: { kind: trained, size, lowercase, pieces } };
    await runAndPrint(
      jobs.tokenizer,
      args,
      { ...options, host: 'cpu' },
      (result) =>
        `${result.model}, ${result.json}: ${result.pieces} pieces, trained on ${result.texts} texts`,
      inputs,
    );
  });
}

/** Adds the command `tokenize`. */
export function addTokenize(program: Command): void {
  program
    .command('tokenize')
    .description('print the pieces of each line, or with --decode the text of lines of pieces')
    .argument(
      '<model>',
      'a .model file of SentencePiece, or the tokenizer.json of a model that heddle trained',
    )
    .argument('[files...]', 'texts, one per line; - is stdin', ['-'])
    .option('--decode', 'read pieces, separated by spaces, and print text')
    .option('--ids', 'print ids instead of pieces')
    .action(async (name: string, files: string[], { decode, ids }: { decode?: boolean; ids?: boolean }) => {
      const model = await processorIn(name);
      for await (const lines of linesOf(files)) {
        const out = lines.map((line) =>
          decode
            ? model.decode(line.split(' ').filter((piece) => piece !== ''))
            : model
                .encode(line)
                .map(({ id, text }) => (ids ? id : text))
                .join(' '),
        );
        await new Promise<void>((done) =>
          process.stdout.write(shownOnTerminal(`${out.join('\n')}\n`), () => done()),
        );
      }
    });
}

async function processorIn(path: string): Promise<SentencePieceProcessor> {
  const bytes = await nodeFiles().read(path);
  if (bytes[0] !== 0x7b) return openSentencePiece(bytes, path);
  const json = parseJson(bytes, path);
  if (!isTrainedSentencePiece(json))
    throw new HeddleError('not a SentencePiece model; give a .model file or a tokenizer.json of one', {
      area: path,
    });
  return openSentencePiece(trainedModelFile(json), path);
}
