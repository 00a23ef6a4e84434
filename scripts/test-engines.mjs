// npm run test:engines [-- PROJECT ...] [-- --files PATH ...]: installs Firefox and Deno if they are missing,
// then runs the tests of kernels, golden cases, training, decoding and formats in both (projects `deno` and
// `firefox`), and the tests of commands and pages in both (`engines`); with --files, only the test files
// whose path contains one of PATH.
import { installDeno, installFirefox, SetupError } from './install.mjs';
import { count, run, runChecks, runDeno, runProject } from './test-checks.mjs';

const projects = ['deno', 'firefox', 'engines'];
const args = process.argv.slice(2);
const end = args.indexOf('--files');
const names = end < 0 ? args : args.slice(0, end);
const files = end < 0 ? [] : args.slice(end + 1);

await runChecks(async () => {
  const unknown = names.find((name) => !projects.includes(name));
  if (unknown)
    throw new SetupError(`there is no project ${unknown}; the projects are ${projects.join(', ')}`);
  installFirefox();
  const deno = installDeno();
  process.env.DENO_PATH = deno;
  count('build', await run('build', ['scripts/build.mjs', '--no-types'], 3));
  for (const name of projects) {
    if (names.length > 0 && !names.includes(name)) continue;
    if (name === 'deno') await runDeno(deno, { minutes: 40, files });
    else await runProject({ name, minutes: 40, files });
  }
});
