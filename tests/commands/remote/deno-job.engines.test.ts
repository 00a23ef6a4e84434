// Jobs in Deno.
import { expect, it, vi } from 'vitest';
import { runInDeno } from '../../../src/commands/remote/deno-job.ts';
import { testRemoteJobs } from '../../support/remote-jobs.ts';

testRemoteJobs({ name: 'Deno', place: 'Deno', program: /deno/, run: runInDeno });

it('names the npm package if there is no Deno', async () => {
  vi.stubEnv('DENO_PATH', '');
  vi.stubEnv('PATH', '');
  const options = { paths: [], signal: new AbortController().signal, onEvent: () => {} };
  await expect(runInDeno('info', {}, options)).rejects.toThrow(
    'no Deno found: install it (npm install -g deno), or set DENO_PATH to the path of its program',
  );
});
