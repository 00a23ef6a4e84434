#!/usr/bin/env node
// The command line `heddle`: its commands, and how it prints errors.

import { Command } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../core/errors.ts';
import { addAverage } from './average-command.ts';
import { addBench } from './bench-command.ts';
import { addConformance } from './conformance-command.ts';
import { addConvert } from './convert-command.ts';
import { addDistill } from './distill-command.ts';
import { addEvaluate } from './eval-command.ts';
import { addInfo } from './info-command.ts';
import { log, reportError, setVerbosity } from './output.ts';
import { addPack } from './pack-command.ts';
import { addPlan } from './plan-command.ts';
import { addProfile } from './profile-command.ts';
import { addPull } from './pull-command.ts';
import { currentFlags } from './renamed-flags.ts';
import { addRuns } from './runs-command.ts';
import { addScore } from './score-command.ts';
import { addTrain } from './train-command.ts';
import { addTranslate } from './translate-command.ts';
import { addTune } from './tune-command.ts';
import { addVerify } from './verify-command.ts';

// The reader of a pipe may end first (heddle plan | head). A terminal that was closed (EIO) ends no work: it is saved, as
// at SIGHUP, and then SIGHUP ends the process, since Node cannot end normally without its terminal.
let hungUp = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    if (error.code !== 'EIO') throw error;
    if (!hungUp) process.on('exit', () => process.kill(process.pid, 'SIGHUP'));
    hungUp = true;
  });
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    reportError(error);
    process.exit();
  });

const program = new Command('heddle')
  .description('Train and run encoder-decoder transformers on the GPU with WebGPU.')
  .version(version)
  .configureOutput({
    outputError(text, write) {
      const line = text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
      const command = program.commands.find((it) => it.name() === process.argv[2]);
      write(`heddle: ${line.trim()}; see heddle ${command ? `${command.name()} ` : ''}--help\n`);
    },
  });

for (const add of [
  addTrain,
  addTranslate,
  addEvaluate,
  addScore,
  addAverage,
  addRuns,
  addVerify,
  addConvert,
  addDistill,
  addPack,
  addPull,
  addPlan,
  addProfile,
  addTune,
  addBench,
  addConformance,
  addInfo,
])
  add(program);

for (const command of program.commands) {
  command.optionsGroup('Output:').option('--quiet', 'print only the result, warnings and errors');
  if (!command.options.some((option) => option.long === '--verbose'))
    command.option('--verbose', 'print every event with its time, and the stack of an error');
}
program.hook('preAction', (_, command) => {
  const { quiet, verbose } = command.opts<{ quiet?: boolean; verbose?: boolean }>();
  if (quiet && verbose) throw new HeddleError('--quiet and --verbose exclude each other; use one of them');
  setVerbosity(quiet ? 'quiet' : verbose ? 'verbose' : 'normal');
});

try {
  await program.parseAsync(currentFlags(process.argv.slice(2), log), { from: 'user' });
} catch (error) {
  reportError(error);
}
