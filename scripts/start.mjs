// npm start: sets up the machine, builds, and trains a small translator on the built-in corpus. Arguments
// after `npm start --` are flags of `heddle train`.
import { spawn } from 'node:child_process';
import { SetupError, setup } from './install.mjs';

/** The command that `npm start` runs. */
const COMMAND = ['train', '--corpus', 'intl'];

try {
  setup();
  if ((await node(['scripts/build.mjs', '--no-types'])) !== 0)
    throw new SetupError('the build failed; its message is above');
  process.exitCode = await node(['dist/cli.js', ...COMMAND, ...process.argv.slice(2)]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`start: ${error.message}`);
  process.exitCode = 1;
}

/**
 * Runs Node with `args` and returns its exit status. The child handles Ctrl-C: it saves the model and exits.
 */
function node(args) {
  const wait = () => {};
  process.on('SIGINT', wait);
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      process.off('SIGINT', wait);
      resolve(status ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
