#!/usr/bin/env node
// The command `heddle`: its subcommands, and how errors are told.

import { Command } from 'commander';
import { version } from '../../package.json';
import { addBench } from './bench-command.ts';
import { addConvert } from './convert-command.ts';
import { addEvaluate } from './eval-command.ts';
import { addInfo } from './info-command.ts';
import { reportError } from './output.ts';
import { addPack } from './pack-command.ts';
import { addPlan } from './plan-command.ts';
import { addProfile } from './profile-command.ts';
import { addPull } from './pull-command.ts';
import { addTrain } from './train-command.ts';
import { addTranslate } from './translate-command.ts';
import { addTune } from './tune-command.ts';
import { addVerify } from './verify-command.ts';

// Where the reader of a pipe has gone (heddle plan | head), there is no more to do.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    reportError(error);
    process.exit();
  });

const program = new Command('heddle')
  .description('Encoder-decoder transformers, trained and run on the GPU with WebGPU.')
  .version(version)
  .configureOutput({
    outputError(text, write) {
      const line = text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
      write(`heddle: ${line.trim()}; heddle --help shows commands and options\n`);
    },
  });

for (const add of [
  addTrain,
  addTranslate,
  addEvaluate,
  addVerify,
  addConvert,
  addPack,
  addPull,
  addPlan,
  addProfile,
  addTune,
  addBench,
  addInfo,
])
  add(program);

try {
  await program.parseAsync();
} catch (error) {
  reportError(error);
}
