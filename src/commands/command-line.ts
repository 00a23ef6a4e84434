// The command line `heddle`: its commands, and how it prints errors.

import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { withoutAliases } from './flag-aliases.ts';
import { setCommand } from './interruption.ts';
import { forTerminal, type JsonOption, jsonFlags, reportError, setVerbosity } from './output.ts';
import { checkNamed, checkOutputFile } from './output-file.ts';

/** Adds a command to the program. Each imports only its own module, so that a command starts fast. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  train: async () => (await import('./train-command.ts')).addTrain,
  translate: async () => (await import('./translate-command.ts')).addTranslate,
  transcribe: async () => (await import('./transcribe-command.ts')).addTranscribe,
  serve: async () => (await import('./serve-command.ts')).addServe,
  eval: async () => (await import('./eval-command.ts')).addEvaluate,
  score: async () => (await import('./score-command.ts')).addScore,
  average: async () => (await import('./average-command.ts')).addAverage,
  runs: async () => (await import('./runs-command.ts')).addRuns,
  verify: async () => (await import('./verify-command.ts')).addVerify,
  convert: async () => (await import('./convert-command.ts')).addConvert,
  clean: async () => (await import('./clean-command.ts')).addClean,
  tokenizer: async () => (await import('./tokenizer-command.ts')).addTokenizer,
  tokenize: async () => (await import('./tokenizer-command.ts')).addTokenize,
  align: async () => (await import('./align-command.ts')).addAlign,
  backtranslate: async () => (await import('./backtranslate-command.ts')).addBacktranslate,
  distill: async () => (await import('./distill-command.ts')).addDistill,
  language: async () => (await import('./language-command.ts')).addLanguage,
  pack: async () => (await import('./pack-command.ts')).addPack,
  unpack: async () => (await import('./pack-command.ts')).addUnpack,
  pull: async () => (await import('./pull-command.ts')).addPull,
  plan: async () => (await import('./plan-command.ts')).addPlan,
  profile: async () => (await import('./profile-command.ts')).addProfile,
  tune: async () => (await import('./tune-command.ts')).addTune,
  bench: async () => (await import('./bench-command.ts')).addBench,
  conformance: async () => (await import('./conformance-command.ts')).addConformance,
  info: async () => (await import('./info-command.ts')).addInfo,
};

/** Names of all commands. */
export const commandNames: readonly string[] = Object.keys(commands);

/** Names of arguments that are folders. */
const folderArguments = ['dir', 'out', 'teacher', 'checkpoint'];

/** Throws a HeddleError if the name of a file or folder is empty, as that of a variable of a script that is not set. */
function checkGivenNames(command: Command): void {
  for (const option of command.options) {
    const [, kind] = /[<|](file|dir|pairs)\b/.exec(option.flags) ?? [];
    const name = option.attributeName();
    // Without a folder --tensorboard is off.
    if (!kind || name === 'tensorboard' || command.getOptionValueSource(name) !== 'cli') continue;
    const value: unknown = command.getOptionValue(name);
    const isNothing = Array.isArray(value) && value.length === 0;
    for (const given of isNothing ? [''] : [value].flat())
      if (typeof given === 'string') checkNamed(option.long ?? '', given, kind === 'dir' ? 'folder' : 'file');
  }
  for (const [i, argument] of command.registeredArguments.entries()) {
    const name = argument.name();
    const kind = folderArguments.includes(name) ? 'folder' : 'file';
    const given = ['text', 'name'].includes(name)
      ? []
      : command.args.slice(i, argument.variadic ? undefined : i + 1);
    for (const value of given) checkNamed(`${command.name()}: <${name}>`, value, kind);
  }
}

/** Throws a HeddleError if the file of `--json` may not be written. */
function checkJsonFile(command: Command): void {
  const { json, force, ...others } = command.opts<{ json?: JsonOption; force?: boolean }>();
  if (typeof json !== 'string') return;
  const words = [...command.args, ...Object.values(others)].flat();
  checkOutputFile('--json', json, { force, inputs: words.filter((word) => typeof word === 'string') });
}

/**
 * Runs a command line, without the words `node heddle`. Prints its errors, and sets the exit status of the
 * process.
 */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  const [name = ''] = words;
  const program = new Command('heddle')
    .description('Train and run encoder-decoder transformers on the GPU with WebGPU.')
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError(text, write) {
        const line = text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
        const command = program.commands.find((added) => added.name() === name);
        write(
          forTerminal(
            `heddle: ${line.trim().replace(/\.$/, '')}; see heddle ${command ? `${command.name()} ` : ''}--help\n`,
          ),
        );
      },
    });
  // Add all commands if the first word is not a command: for --help, and for the error that suggests one.
  const loader = commands[name];
  for (const load of loader ? [loader] : Object.values(commands)) (await load())(program);
  for (const command of program.commands) {
    command.optionsGroup('Output:').option('--quiet', 'print only the result, warnings and errors');
    if (!command.options.some((option) => option.long === '--verbose'))
      command.option('--verbose', 'print every event with its time, and the stack of an error');
    const has = (long: string) => command.options.some((option) => option.long === long);
    if (has('--json') && !has('--force')) command.option('--force', 'overwrite the file of --json');
  }
  program.hook('preAction', (_, command) => {
    const { quiet, verbose } = command.opts<{ quiet?: boolean; verbose?: boolean }>();
    if (quiet && verbose) throw new HeddleError('--quiet and --verbose exclude each other; use one of them');
    setCommand(command.name());
    setVerbosity(quiet ? 'quiet' : verbose ? 'verbose' : 'normal');
    checkGivenNames(command);
    checkJsonFile(command);
  });
  try {
    await program.parseAsync(jsonFlags(withoutAliases(words)), { from: 'user' });
  } catch (error) {
    // Commander has printed its error or help.
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else reportError(error);
  }
}
