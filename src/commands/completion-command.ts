// heddle completion: a script by which bash, zsh or fish completes commands and flags, made of the table of commands.

import { Argument, Command } from 'commander';
import { version } from '../../package.json';
import type { LazyCommand } from './command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** A command as a shell completes it. */
interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly {
    readonly long: string;
    readonly choices: readonly string[];
    readonly help: string;
  }[];
}

/** Adds the command `completion`. `table`: all commands by name. */
export function addCompletion(program: Command, table: Readonly<Record<string, LazyCommand>>): void {
  program
    .command('completion')
    .description('print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      '\nbash: eval "$(heddle completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc, after compinit; fish: heddle completion fish |\nsource in ~/.config/fish/config.fish.',
    )
    .action(async (shell: Shell) => {
      process.stdout.write(scripts[shell](await completedCommands(table)));
    });
}

/** The listed commands, with the flags of their modes. */
async function completedCommands(table: Readonly<Record<string, LazyCommand>>): Promise<Completed[]> {
  const all = new Map<string, Completed>();
  for (const [name, row] of Object.entries(table)) {
    const { place } = row;
    const [of, summary] = place.mode ? [place.mode.of, ''] : [name, place.summary];
    const program = new Command();
    await row.add(program);
    const options = program.commands.flatMap((command) => command.options);
    const flags = [
      ...(all.get(of)?.flags ?? []),
      ...(place.mode ? [{ long: place.mode.flag, choices: [], help: '' }] : []),
      ...options.flatMap(({ long, argChoices = [], description, hidden }) =>
        long && !hidden ? [{ long, choices: argChoices, help: description }] : [],
      ),
      ...['--help', '--quiet', '--verbose'].map((long) => ({ long, choices: [], help: '' })),
    ];
    const distinct = [...new Map(flags.map((flag) => [flag.long, flag])).values()];
    all.set(of, { name: of, summary: summary || (all.get(of)?.summary ?? ''), flags: distinct });
  }
  return [...all.values()];
}

/** A text in single quotes of a shell, on one line. */
const quoted = (text: string): string => `'${text.replace(/\s+/g, ' ').replaceAll("'", "'\\''")}'`;

const header = `# Completions of heddle ${version}, written by heddle completion.\n`;
const flagsOf = ({ flags }: Completed): string => flags.map(({ long }) => long).join(' ');

const scripts: Readonly<Record<Shell, (commands: readonly Completed[]) => string>> = {
  bash: (commands) => `${header}_heddle() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]} $before" in
${choiceCases(commands)}  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map((command) => `    ${command.name}) words=${quoted(flagsOf(command))} ;;\n`).join('')}  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _heddle heddle
`,
  zsh: (commands) => `${header}_heddle() {
  local -a names
  local words_of=''
  if (( CURRENT == 2 )); then
    names=(${commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', '\\:')}`)).join(' ')})
    _describe command names
    return
  fi
  case "\${words[2]} \${words[CURRENT-1]}" in
${choiceCases(commands).replaceAll('words=', 'words_of=')}  esac
  if [[ -n $words_of ]]; then
    compadd -- \${=words_of}
    return
  fi
  case "\${words[2]}" in
${commands.map((command) => `    ${command.name}) words_of=${quoted(flagsOf(command))} ;;\n`).join('')}  esac
  if [[ \${words[CURRENT]} == -* ]]; then compadd -- \${=words_of}; else _files; fi
}
compdef _heddle heddle
`,
  fish: (commands) =>
    `${header}complete -c heddle -f -n __fish_use_subcommand -a ${quoted(commands.map(({ name }) => name).join(' '))}\n${commands
      .flatMap(({ name, summary, flags }) => [
        `complete -c heddle -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
        ...flags.map(
          ({ long, choices, help }) =>
            `complete -c heddle -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)}${choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : ''}${help ? ` -d ${quoted(help)}` : ''}`,
        ),
      ])
      .join('\n')}\n`,
};

/** A case for each flag with choices. */
function choiceCases(commands: readonly Completed[]): string {
  return commands
    .flatMap(({ name, flags }) =>
      flags.flatMap(({ long, choices }) =>
        choices.length > 0 ? [`    '${name} ${long}') words=${quoted(choices.join(' '))} ;;\n`] : [],
      ),
    )
    .join('');
}
