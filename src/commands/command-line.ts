// The command line `heddle`: its commands, and how it prints errors.

import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { commandGroups } from './command.ts';
import { commandNames, commands } from './commands.ts';
import { withoutAliases } from './flag-aliases.ts';
import { chooseHelp } from './help.ts';
import { helpTexts } from './help-texts.ts';
import { setCommand } from './interruption.ts';
import { forTerminal, type JsonOption, jsonFlags, reportError, setVerbosity } from './output.ts';
import { checkNamed, checkOutputFile } from './output-file.ts';
import { takeStdin } from './stdin-file.ts';
import { copyToStdout, takeStdout } from './stdout-file.ts';

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

/** The words with the name of a mode in place of a command and the flag of the mode: `plan --time` is `profile`. */
function withMode(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  for (const other of commandNames) {
    const { mode } = commands[other].place;
    if (!mode || mode.of !== words[0]) continue;
    const flags = end < 0 ? words : words.slice(0, end);
    if (flags.includes(mode.flag) || (mode.own && flags.includes(mode.own)))
      return [other, ...words.slice(1).filter((word, i) => word !== mode.flag || i + 1 >= flags.length)];
  }
  return words;
}

/**
 * Runs a command line, without the words `node heddle`. Prints its errors, and sets the exit status of the
 * process.
 */
export async function runCommandLine(given: readonly string[]): Promise<void> {
  const words = withMode(given[0] === 'help' ? [...given.slice(1, 2), '--help', ...given.slice(2)] : given);
  const [name = ''] = words;
  const program = new Command('heddle')
    .description('Train and run encoder-decoder transformers on the GPU with WebGPU.')
    .version(version)
    .exitOverride()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText(
      'after',
      `
Start: heddle train pairs.tsv --out model
       heddle translate model "Good morning."
       heddle COMMAND --help`,
    )
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
  // All listed commands are added if the first word is not a command: for --help, and for the error that suggests one.
  const named = commandNames.find((known) => known === name);
  const listed = commandGroups.flatMap((group) =>
    commandNames.filter((known) => {
      const { place } = commands[known];
      return !place.mode && place.group === group;
    }),
  );
  for (const known of named ? [named] : listed) await commands[known].add(program);
  for (const command of program.commands) {
    const known = commandNames.find((other) => other === command.name());
    const place = known && commands[known].place;
    if (place && !place.mode) command.helpGroup(`${place.group}:`).summary(place.summary);
    command.optionsGroup('Output:').option('--quiet', 'print only the result, warnings and errors');
    if (!command.options.some((option) => option.long === '--verbose'))
      command.option('--verbose', 'print every event with its time, and the stack of an error');
    const has = (long: string) => command.options.some((option) => option.long === long);
    if (has('--json') && !has('--force')) command.option('--force', 'overwrite the file of --json');
    if (!known) continue;
    const { mode } = commands[known].place;
    if (mode) command.name(`${mode.of} ${mode.flag}`);
    const help = helpTexts[known];
    if (help) chooseHelp(command, help, words);
    const modes = commandNames.flatMap((other) => {
      const { mode: own } = commands[other].place;
      return own?.of === known ? [`heddle ${known} ${own.flag} --help`] : [];
    });
    if (modes.length > 0) command.addHelpText('after', `\nAlso: ${modes.join(', ')}`);
  }
  program.hook('preAction', async (_, command) => {
    const { quiet, verbose } = command.opts<{ quiet?: boolean; verbose?: boolean }>();
    if (quiet && verbose) throw new HeddleError('--quiet and --verbose exclude each other; use one of them');
    setCommand(command.name());
    setVerbosity(quiet ? 'quiet' : verbose ? 'verbose' : 'normal');
    checkGivenNames(command);
    checkJsonFile(command);
    takeStdout(command);
    await takeStdin(command);
  });
  program.hook('postAction', copyToStdout);
  try {
    // The name of a mode has a space.
    const rest = words.slice(1);
    const { mode } = (named && commands[named].place) ?? {};
    const full = mode ? [`${mode.of} ${mode.flag}`, ...rest] : [...words];
    await program.parseAsync(jsonFlags(withoutAliases(full)), { from: 'user' });
  } catch (error) {
    // Commander has printed its error or help.
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else reportError(error);
  }
}
