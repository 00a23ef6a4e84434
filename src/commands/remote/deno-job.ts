// Runs a job in Deno, whose WebGPU is wgpu: a process that has no access to files except through the file
// server.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { findDeno, programAt } from '../../host/programs.ts';
import type { DenoCall, DenoReply } from './json-transport.ts';
import { type RemoteHost, type RemoteJobOptions, runRemotely } from './remote-job.ts';

/**
 * Runs the job `name` in Deno and returns its result. Throws the error of the job, or a HeddleError with the
 * last output if there is no Deno, or it ends or hangs.
 */
export const runInDeno = (name: string, args: unknown, options: RemoteJobOptions): Promise<unknown> =>
  runRemotely(name, args, options, async ({ job, folder, url, emit, fail }): Promise<RemoteHost> => {
    const program = programAt(findDeno(), 'Deno', 'npm install -g deno', 'DENO_PATH');
    const flags = ['--quiet', '--no-prompt', '--no-config', '--no-lock', '--unstable-webgpu'];
    const child = spawn(
      program,
      [
        'run',
        ...flags,
        '--allow-env=HEDDLE_ADAPTER',
        `--allow-net=${new URL(url).host}`,
        join(folder, 'headless-deno.js'),
      ],
      { env: { ...process.env, NO_COLOR: '1' } },
    );
    let printed = '';
    child.stderr.on('data', (chunk) => {
      printed = (printed + chunk).slice(-2000);
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) =>
        fail(new HeddleError(msg`Deno did not start (${program}): ${error.message}`)),
      );
      child.once('close', () => {
        const output = printed.trim();
        fail(
          new HeddleError(msg`Deno ended while running ${job}${output && msg`; it printed: ${output}`}`, {
            kind: 'device',
          }),
        );
        resolve();
      });
    });
    child.stdin.on('error', () => {}); // it has ended
    const send = (call: DenoCall) => void child.stdin.write(`${JSON.stringify(call)}\n`);
    let onResponse: (text: string) => void = () => {};
    let onPong: () => void = () => {};
    createInterface(child.stdout).on('line', (line) => {
      const reply = JSON.parse(line) as DenoReply;
      if (reply.type === 'event') emit(reply.text);
      else if (reply.type === 'response') onResponse(reply.text);
      else onPong();
    });
    return {
      name: 'Deno',
      run(request) {
        send({ type: 'run', text: request });
        return new Promise((resolve) => {
          onResponse = resolve;
        });
      },
      abort: () => send({ type: 'abort' }),
      ping() {
        send({ type: 'ping' });
        return new Promise<void>((resolve) => {
          onPong = resolve;
        });
      },
      async close() {
        child.stdin.end(); // the npm package starts Deno as a child, which SIGKILL does not reach
        child.kill('SIGKILL');
        await ended;
      },
    };
  });
