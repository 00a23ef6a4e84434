// What a row of the table of commands says (commands.ts): a command's group, its code, and its jobs.

import type { Command } from 'commander';
import type { CommandJob } from './remote/command-job.ts';

/** Heading of a command in `heddle --help`. */
export type CommandGroup = 'Train' | 'Translate' | 'Evaluate' | 'Data' | 'Models' | 'Device';

/** Jobs by the names that their command gives them. */
export type CommandJobs = Readonly<Record<string, CommandJob<never, unknown>>>;

/** Adds a command to the command line: its arguments, flags, help texts and action. */
export type AddCommand<J> = (program: Command, jobs: J) => void;

/** A row of the table of commands. */
export interface CommandRow<J extends CommandJobs> {
  readonly group: CommandGroup;
  /** Loads the code of the command. */
  load(): Promise<AddCommand<J>>;
  /** The jobs that the command runs. */
  readonly jobs: J;
}

/** A command that is loaded when it is run, or listed. */
export interface LazyCommand<J extends CommandJobs = CommandJobs> {
  readonly group: CommandGroup;
  readonly jobs: J;
  /** Loads the command and adds it to the command line. */
  add(program: Command): Promise<void>;
}

/** Returns the command of a row. */
export const defineCommand = <J extends CommandJobs>({
  group,
  load,
  jobs,
}: CommandRow<J>): LazyCommand<J> => ({
  group,
  jobs,
  add: async (program) => (await load())(program, jobs),
});
