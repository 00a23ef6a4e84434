// Signals and closed terminals during training on the CPU, which must yield to the event loop to handle them.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddleProcess, scratch, smallTraining } from '../support/cli.ts';
import { distFile } from '../support/dist.ts';
import { waitLimit } from '../support/time-limits.ts';

const at = (name: string) => join(scratch(), name);
const endless = (name: string) => [
  'train',
  ...smallTraining,
  '--steps',
  '1000000',
  '--host',
  'cpu',
  '--out',
  at(name),
];

it('saves a training on the CPU at SIGTERM, and exits with 143', async () => {
  let sent = false;
  const ended = await heddleProcess(endless('stopped'), {
    onStart: (child) =>
      child.stderr?.on('data', (text: Buffer) => {
        if (sent || !/loss/.test(String(text))) return;
        sent = true;
        child.kill('SIGTERM');
      }),
  });
  expect(ended.status, ended.stderr).toBe(143);
  expect(ended.stdout).toContain('; stopped'); // the run has a million steps
  expect(existsSync(join(at('stopped'), 'model.safetensors'))).toBe(true);
});

// `script` of util-linux runs a command in a terminal of its own, which closes when `script` is killed.
it.runIf(existsSync('/usr/bin/script'))(
  'saves a training whose terminal is closed (needs script of util-linux)',
  async () => {
    const command = [process.execPath, distFile('cli.js'), ...endless('closed')]
      .map((arg) => `'${arg}'`)
      .join(' ');
    const terminal = spawn('script', ['-qfc', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
    terminal.stdout.on(
      'data',
      (text: Buffer) => void (/loss/.test(String(text)) && terminal.kill('SIGKILL')),
    );
    await new Promise((resolve) => terminal.once('exit', resolve));
    // Earlier checkpoints write a log and a report too, so this waits for the end record.
    const lastRecord = (): unknown => {
      const log = join(at('closed'), 'log.jsonl');
      return existsSync(log) && JSON.parse(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) as string);
    };
    await expect.poll(lastRecord, { timeout: waitLimit }).toMatchObject({ type: 'end', reason: 'stopped' });
    expect(existsSync(join(at('closed'), 'report.html'))).toBe(true);
  },
);
