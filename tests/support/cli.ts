// Runs the built command line in a separate process and returns its output.
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import { distFile } from './dist.ts';

// A process that opens a device takes seconds with a software adapter and other tests at the same time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** How a command ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  /** Without what Dawn itself has to say about the driver. */
  readonly stderr: string;
}

/** How it is started. */
export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Whether its stdin stays open after that. */
  readonly keepOpen?: boolean;
  /** Time limit in milliseconds [120,000]. */
  readonly timeout?: number;
  /** Working directory, if not that of the tests. */
  readonly cwd?: string;
  /** Given the process once it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `heddle` with these arguments. Tuned kernels are stored in a folder of the test file. */
export function heddle(
  args: readonly string[],
  { env = {}, input, keepOpen, cwd, timeout = 120_000, onStart }: CliOptions = {},
): Promise<Ended> {
  const path = distFile('cli.js');
  return new Promise((resolve) => {
    const options = {
      // LLVM's optimizations take longer than the small models of the tests.
      env: { ...process.env, HEDDLE_CACHE: join(scratch(), 'cache'), GALLIVM_PERF: 'nopt', ...env },
      maxBuffer: 2 ** 26,
      ...(cwd && { cwd }),
    };
    const child = execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
      clearTimeout(stop);
      const status = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      resolve({ status, stdout, stderr: stderr.replace(/^Warning: .*\n/gm, '') });
    });
    // Not execFile's time limit: that closes the pipes first, and a command whose output nobody reads ends with status 0.
    const stop = setTimeout(() => child.kill(), timeout);
    if (!keepOpen) child.stdin?.end(input);
    onStart?.(child);
  });
}

let folder: string | undefined;

/** A folder of the test file's own; it is removed when the file is done. */
export function scratch(): string {
  folder ??= mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  return folder;
}

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Options of a training run of one second: a tiny model on 200 phrases, default kernels. */
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
export const smallOnPairs = smallTraining.filter((_, i) => !smallTraining.slice(i - 1, i + 1).includes('--pairs'));

/** Whether `text` is one line for people, no stack trace. */
export const isOneLine = (text: string): boolean => /^heddle: [^\n]+\n$/.test(text);
