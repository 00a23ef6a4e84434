#!/usr/bin/env node
// The process of the command line `heddle`: closed pipes and terminals, and errors that nothing catches.

import { runCommandLine } from './command-line.ts';
import { endAtSignals, endIfStopped, stopWithoutReader } from './interruption.ts';
import { reportError } from './output.ts';

// The reader of a pipe may end first (heddle train | head). A closed terminal (EIO) is handled like SIGHUP:
// the job saves its work, then SIGHUP ends the process, since Node cannot exit normally without its terminal.
let hungUp = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return stopWithoutReader();
    if (error.code !== 'EIO') throw error;
    if (!hungUp) process.on('exit', () => process.kill(process.pid, 'SIGHUP'));
    hungUp = true;
  });
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    reportError(error);
    process.exit();
  });

endAtSignals();
await runCommandLine(process.argv.slice(2));
await endIfStopped();
