// The jobs of all commands by their names, for `runJob`.
import { commands } from '../../src/commands/commands.ts';
import { guestParts } from '../../src/commands/guest-parts.ts';

type Commands = typeof commands;
type JobsOf<Name extends keyof Commands> = (jobs: Commands[Name]['jobs']) => void;
/** The jobs of all commands, as one object. */
type AllJobs = { [Name in keyof Commands]: JobsOf<Name> }[keyof Commands] extends (jobs: infer All) => void
  ? All
  : never;

/** The jobs of all commands. */
export const jobs: AllJobs = Object.assign(
  {},
  ...Object.values(commands).map((command) => command.jobs),
  Object.fromEntries((guestParts.jobs ?? []).map((job) => [job.name, job])),
);
