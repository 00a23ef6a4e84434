// npm start: sets the machine up, builds, and trains a small translator on the built-in corpus; arguments after `npm start --`
// go to that command.
import { spawn } from 'node:child_process';
import { SetupError, setup } from './install.mjs';

/** What `npm start` runs. */
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

/** Runs Node on `args` to its end and gives its status. Ctrl-C is the child's to handle: it saves, and then ends. */
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
