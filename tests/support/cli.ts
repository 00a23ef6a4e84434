// Runs the command line in this process or in a new one, and returns its output.
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { distFile } from './dist.ts';
import { testLimit } from './time-limits.ts';

/** Result of a command. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  /** Without Dawn's own lines about the driver. */
  readonly stderr: string;
}

/** Options of a process. */
export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Whether stdin stays open after `input`. */
  readonly keepOpen?: boolean;
  /** Time limit in milliseconds [120,000]. */
  readonly timeout?: number;
  /** Working directory [that of the tests]. */
  readonly cwd?: string;
  /** Called with the process after it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/**
 * Environment of commands: without LLVM's optimizations and with 4 lanes, else compilation takes longer than small
 * models; kernels are tuned per test file.
 */
const testEnv = () => ({
  HEDDLE_CACHE: join(scratch(), 'cache'),
  GALLIVM_PERF: 'nopt',
  LP_NATIVE_VECTOR_WIDTH: '128',
});

/** Without what a command says after half a second if it has said nothing: tests on a busy machine see it. */
const withoutStart = (stderr: string): string => stderr.replace(/^[a-z]+: (?:reading .*|starting)\n/gm, '');

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `heddle` with these arguments in this process, from its sources, one command at a time. This saves the
 * start of a process and of Dawn. `env`: only variables that heddle reads. Use `heddleProcess` if a test
 * needs stdin, signals, a working directory or drivers.
 */
export function heddle(args: readonly string[], { env = {} }: Pick<CliOptions, 'env'> = {}): Promise<Ended> {
  const ended = last.then(() => runHere(args, env));
  last = ended.catch(() => undefined);
  return ended;
}

async function runHere(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const { runCommandLine } = await import('../../src/commands/command-line.ts');
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += text;
      return true;
    }),
  );
  const before = Object.keys({ ...testEnv(), ...env }).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, testEnv(), env);
  process.exitCode = undefined;
  try {
    await runCommandLine(args);
    return {
      status: Number(process.exitCode ?? 0),
      stdout: output.stdout,
      stderr: withoutStart(output.stderr),
    };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}

/** Runs the built `heddle` with these arguments as a process. */
export function heddleProcess(
  args: readonly string[],
  { env = {}, input, keepOpen, cwd, timeout = testLimit, onStart }: CliOptions = {},
): Promise<Ended> {
  const path = distFile('cli.js');
  return new Promise((resolve) => {
    const options = {
      env: { ...process.env, ...testEnv(), ...env },
      maxBuffer: 2 ** 26,
      cwd,
    };
    const child = execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
      clearTimeout(stop);
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      const status = error?.signal === 'SIGINT' ? 130 : code; // as a shell says
      resolve({ status, stdout, stderr: withoutStart(stderr.replace(/^Warning: .*\n/gm, '')) });
    });
    // Not the timeout of execFile: it closes the pipes first, and then a command ends with status 0.
    const stop = setTimeout(() => child.kill(), timeout);
    if (!keepOpen) child.stdin?.end(input);
    onStart?.(child);
  });
}

let folder: string | undefined;

/** A temporary folder for the test file; remove-scratch.ts removes it afterwards. */
export function scratch(): string {
  folder ??= mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  return folder;
}

/** Removes the folder of `scratch`; the next file gets a new one. */
export function removeScratch(): void {
  if (folder) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** Flags of a training run of about one second: a tiny model on 200 phrases, default kernels. */
export const smallTraining = [
  ...[
    '--no-tune',
    '--pairs',
    '200',
    '--vocab-size',
    '300',
    '--batch-size',
    '8',
    '--buckets',
    '1',
    '--test-sentences',
    '0',
  ],
  ...['--held-out', '0.1', '--set', 'dModel=16', '--set', 'heads=2', '--set', 'feedForward=24'],
  ...['--set', 'encoderLayers=1', '--set', 'decoderLayers=1', '--set', 'maxLength=40'],
];

/** The same on files of pairs. */
export const smallOnPairs = smallTraining.filter(
  (_, i) => !smallTraining.slice(i - 1, i + 1).includes('--pairs'),
);

/** Whether `text` is one line, not a stack trace. */
export const isOneLine = (text: string): boolean => /^heddle: [^\n]+\n$/.test(text);
