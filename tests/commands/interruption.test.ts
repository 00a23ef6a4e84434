// How commands end without a reader of their output, and at SIGINT: they save, and have the status of a shell.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { heddleProcess, scratch, smallTraining } from '../support/cli.ts';
import { distFile } from '../support/dist.ts';
import { itInFull } from '../support/in-full.ts';
import { expectPipeStatus, interruptEverywhere } from '../support/interrupts.ts';

const cli = `'${process.execPath}' '${distFile('cli.js')}'`;
const at = (name: string) => join(scratch(), name);

beforeAll(() => {
  mkdirSync(at('empty'));
  writeFileSync(at('empty/notes.md'), 'mine\n');
});

/** Runs a line of bash; returns its output. */
const bash = (line: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    child.once('close', () => resolve(text.trim()));
  });

const endless = (name: string) =>
  `${cli} train ${smallTraining.join(' ')} --steps 1000000 --save-seconds 0 --host cpu --out ${at(name)}`;

it.each([
  [`2>&1 | head -2 >/dev/null; echo \${PIPESTATUS[0]}`, 'stdout'],
  ['2> >(head -2 >/dev/null) >/dev/null; echo $?', 'stderr'],
])('saves a training whose reader goes away, and exits with 141: %s', async (redirected, name) => {
  expect(await bash(`${endless(name)} ${redirected}`)).toBe('141');
  expect(existsSync(join(at(name), 'model.safetensors'))).toBe(true);
  expect(existsSync(join(at(name), 'optimizer.safetensors'))).toBe(true);
});

itInFull('saves a training in a page whose reader goes away after the first step', async () => {
  const line = endless('page').replace('--host cpu', '--host chrome');
  expect(await bash(`${line} 2>&1 | head -2 >/dev/null; echo \${PIPESTATUS[0]}`)).toBe('141');
  expect(existsSync(join(at('page'), 'optimizer.safetensors'))).toBe(true);
});

it('exits with 141 if nobody reads the result of a training, which is saved', async () => {
  const line = `${endless('done').replace('1000000', '2')} 2>/dev/null | true; echo \${PIPESTATUS[0]}`;
  expect(await bash(line)).toBe('141');
  expect(existsSync(join(at('done'), 'model.safetensors'))).toBe(true);
});

it('ends a command without anything to save with 141 too', async () => {
  await expectPipeStatus(['plan', '--preset', 'tiny'], at('empty'));
});

it('shows progress of the built-in corpus, and stops at SIGINT', async () => {
  let sent = false;
  const args = [
    'train',
    '--pairs',
    '2000000',
    '--steps',
    '1',
    '--host',
    'cpu',
    '--verbose',
    '--out',
    at('big'),
  ];
  const ended = await heddleProcess(args, {
    onStart: (child) =>
      child.stderr?.on('data', (text: Buffer) => {
        if (sent || !/"make corpus","done":\d/.test(String(text))) return;
        sent = true;
        child.kill('SIGINT');
      }),
  });
  expect(ended.status, ended.stderr).toBe(130);
  expect(ended.stderr).toMatch(/"text":"pairs, [\d,]+ pairs\/s, \d+ s left"/);
});

itInFull('is interrupted at any moment of a training and of a plan, without half-written files', async () => {
  const train = ['train', ...smallTraining, '--steps', '20', '--save-steps', '5', '--host', 'cpu'];
  await interruptEverywhere([...train, '--out', 'm'], at('empty'), { moments: 3 });
  await interruptEverywhere(['plan', '--preset', 'tiny'], at('empty'), { moments: 2 });
});
