// npm run test:engines: installs Firefox and Deno if they are missing, then runs the tests of kernels, golden cases, training, decoding and
// formats in both, and the tests of the commands and pages there.
import { installDeno, installFirefox } from './install.mjs';
import { count, run, runChecks, runDeno, runProject } from './test-checks.mjs';

await runChecks(async () => {
  installFirefox();
  const deno = installDeno();
  process.env.DENO_PATH = deno;
  count('build', await run('build', ['scripts/build.mjs', '--no-types'], 3));
  await runDeno(deno, { minutes: 30 });
  await runProject({ name: 'firefox', minutes: 40 });
  await runProject({ name: 'engines', minutes: 30 });
});
