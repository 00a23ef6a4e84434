// Jobs in Deno.
import { expect, it, vi } from 'vitest';
import { runInDeno } from '../../../src/commands/remote/deno-job.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { testRemoteJobs } from '../../support/remote-jobs.ts';

testRemoteJobs({ name: 'Deno', place: 'Deno', program: /deno/, run: runInDeno });

it('names the npm package if there is no Deno', async () => {
  vi.stubEnv('DENO_PATH', '');
  vi.stubEnv('PATH', '');
  const options = { paths: [], signal: new AbortController().signal, onEvent: () => {} };
  await expect(runInDeno('info', {}, options)).rejects.toThrow(
    errorAbout({ kind: 'unsupported', values: ['Deno', 'npm install -g deno', 'DENO_PATH'] }),
  );
});
