// The command line `heddle`: its commands, and how it prints errors.

import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { commandNames, commands } from './commands.ts';
import { withoutAliases } from './flag-aliases.ts';
import { setCommand } from './interruption.ts';
import { forTerminal, type JsonOption, jsonFlags, reportError, setVerbosity } from './output.ts';
import { checkNamed, checkOutputFile } from './output-file.ts';

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
  const named = commandNames.find((known) => known === name);
  for (const known of named ? [named] : commandNames) await commands[known].add(program);
  for (const command of program.commands) {
    const known = commandNames.find((other) => other === command.name());
    if (known) command.helpGroup(`${commands[known].group}:`);
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
