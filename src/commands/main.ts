#!/usr/bin/env node
// The process of the command line `heddle`: closed pipes and terminals, and errors that nothing catches.

import { fstatSync } from 'node:fs';
import { renderMessage } from '../core/message.ts';
import { systemReason } from '../host/disk-files.ts';
import { runCommandLine } from './command-line.ts';
import { endAtSignals, endIfStopped, stopWithoutReader } from './interruption.ts';
import { reportError } from './output.ts';
import { writeAt } from './output-file.ts';

// The reader of a pipe may end first (heddle train | head), or the disk of a file is full: the job saves its work. A
// closed terminal (EIO) is handled like SIGHUP: the job saves its work, then SIGHUP ends the process, since Node cannot
// exit normally without its terminal.
let hungUp = false;
for (const [name, stream] of Object.entries({ stdout: process.stdout, stderr: process.stderr })) {
  // Node ignores that a full disk takes only a part of a write.
  if (fstatSync(stream.fd).isFile())
    stream._write = (bytes: Uint8Array, _, done) => {
      try {
        writeAt(stream.fd, bytes);
        done();
      } catch (error) {
        done(error as Error);
      }
    };
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return stopWithoutReader();
    if (error.code !== 'EIO')
      return stopWithoutReader(`${name}: cannot write: ${renderMessage(systemReason(error))}`);
    if (!hungUp) process.on('exit', () => process.kill(process.pid, 'SIGHUP'));
    hungUp = true;
  });
}
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    reportError(error);
    process.exit();
  });

endAtSignals();
await runCommandLine(process.argv.slice(2));
await endIfStopped();
