#!/usr/bin/env node
// The command `heddle`.
import { Command } from 'commander';
import { version } from '../../package.json';
import { HeddleError } from '../errors.ts';
import { describeAdapter } from '../host/adapter.ts';
import { dawnGpu } from '../host/dawn.ts';

const program = new Command('heddle')
  .description('Encoder-decoder transformers, trained and run on the GPU with WebGPU.')
  .version(version)
  .showHelpAfterError('(heddle --help shows the commands and options)');

program
  .command('info')
  .description('the WebGPU adapter of this machine: its limits and features')
  .action(async () => {
    const adapter = await describeAdapter(await dawnGpu(), 'Dawn');
    console.log(`${adapter.host}: ${adapter.vendor} ${adapter.architecture} ${adapter.description}`);
    console.log(`features: ${adapter.features.join(', ')}`);
    for (const [name, value] of Object.entries(adapter.limits)) console.log(`${name}: ${value}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof HeddleError)) throw error;
  console.error(`heddle: ${error.message}`);
  process.exitCode = 1;
}
