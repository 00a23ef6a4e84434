// What a row of the table of commands says (commands.ts): a command's group, its code, and its jobs.

import type { Command } from 'commander';
import type { CommandJob } from './remote/command-job.ts';

/** The headings of `heddle --help`, in order. */
export const commandGroups = ['Translate', 'Train', 'Data', 'Models', 'Measure'] as const;

/** Heading of a command in `heddle --help`. */
export type CommandGroup = (typeof commandGroups)[number];

/** Jobs by the names that their command gives them. */
export type CommandJobs = Readonly<Record<string, CommandJob<never, unknown>>>;

/** Adds a command to the command line: its arguments, flags, help texts and action. */
export type AddCommand<J> = (program: Command, jobs: J) => void;

/** A mode of a command: a flag chooses it. */
export interface CommandMode {
  readonly of: string;
  readonly flag: string;
  /** A flag of its own that chooses it, too. */
  readonly own?: string;
}

/**
 * What a command is to the reader of `heddle --help`: a command of a group, or a mode of another one, which a flag
 * chooses (`heddle plan --time`). The name of a mode is a command, too, which the help does not list.
 */
export type CommandPlace =
  | { readonly group: CommandGroup; readonly summary: string; readonly mode?: undefined }
  | { readonly mode: CommandMode };

/** A row of the table of commands. */
export type CommandRow<J extends CommandJobs> = CommandPlace & {
  /** Loads the code of the command. */
  load(): Promise<AddCommand<J>>;
  /** The jobs that the command runs. */
  readonly jobs: J;
};

/** A command that is loaded when it is run, or listed. */
export interface LazyCommand<J extends CommandJobs = CommandJobs> {
  readonly place: CommandPlace;
  readonly jobs: J;
  /** Loads the command and adds it to the command line. */
  add(program: Command): Promise<void>;
}

/** Returns the command of a row. */
export const defineCommand = <J extends CommandJobs>({
  load,
  jobs,
  ...place
}: CommandRow<J>): LazyCommand<J> => ({
  place,
  jobs,
  add: async (program) => (await load())(program, jobs),
});
