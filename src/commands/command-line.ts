// The command line `heddle`: its commands, and how it prints errors.

import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { commandGroups } from './command.ts';
import { type CommandName, commandNames, commands } from './commands.ts';
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

/** The program, without commands. `name`: the first word, which its errors refer to if it is a command. */
const rootCommand = (name: string): Command => {
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
  return program;
};

/** The commands that `heddle --help` lists, in the order of their groups. */
const listedCommands = commandGroups.flatMap((group) =>
  commandNames.filter((name) => {
    const { place } = commands[name];
    return !place.mode && place.group === group;
  }),
);

/** Adds the flags that every command has. */
function addSharedFlags(command: Command): void {
  const has = (long: string) => command.options.some((option) => option.long === long);
  command.optionsGroup('Output:').option('--quiet', 'print only the result, warnings and errors');
  if (!has('--verbose'))
    command.option('--verbose', 'print every event with its time, and the stack of an error');
  if (has('--json') && !has('--force')) command.option('--force', 'overwrite the file of --json');
}

/** Gives an added command what its row says: its group, or the name of its mode, and its help. */
function placeCommand(command: Command, name: CommandName, words: readonly string[]): void {
  const { place } = commands[name];
  if (place.mode) command.name(`${place.mode.of} ${place.mode.flag}`);
  else command.helpGroup(`${place.group}:`).summary(place.summary);
  const help = helpTexts[name];
  if (help) chooseHelp(command, help, words);
  const modes = commandNames.flatMap((other) => {
    const { mode } = commands[other].place;
    return mode?.of === name ? [`heddle ${name} ${mode.flag} --help`] : [];
  });
  if (modes.length > 0) command.addHelpText('after', `\nAlso: ${modes.join(', ')}`);
}

/**
 * Runs a command line, without the words `node heddle`. Prints its errors, and sets the exit status of the
 * process.
 */
export async function runCommandLine(given: readonly string[]): Promise<void> {
  const words = withMode(given[0] === 'help' ? [...given.slice(1, 2), '--help', ...given.slice(2)] : given);
  const [name = ''] = words;
  const program = rootCommand(name);
  // All listed commands are added if the first word is not a command: for --help, and for the error that suggests one.
  const named = commandNames.find((known) => known === name);
  for (const known of named ? [named] : listedCommands) await commands[known].add(program);
  for (const command of program.commands) {
    addSharedFlags(command);
    const known = commandNames.find((other) => other === command.name());
    if (known) placeCommand(command, known, words);
  }
  try {
    // The name of a mode has a space.
    const { mode } = (named && commands[named].place) ?? {};
    const full = mode ? [`${mode.of} ${mode.flag}`, ...words.slice(1)] : words;
    await program.parseAsync(jsonFlags(withoutAliases([...full])), { from: 'user' });
  } catch (error) {
    // Commander has printed its error or help.
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else reportError(error);
  }
}
