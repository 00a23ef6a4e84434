// Sends SIGINT to a command at several moments of its life, or closes its pipes, and checks what it leaves behind.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { verifyFolder } from '../../src/files/verified-files.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { distFile } from './dist.ts';

/** Status as a shell shows it, and milliseconds of a run of the built `heddle` in a folder. */
interface Run {
  readonly status: number | null;
  readonly ms: number;
  /** Milliseconds from the signal to the end. */
  readonly late: number;
  readonly text: string;
}

/** Options of `interruptEverywhere`. */
export interface InterruptOptions {
  /** Number of moments. */
  readonly moments: number;
  /** Maximum milliseconds from a signal to the end of the process: a step and a save. [no limit] */
  readonly bound?: number;
  /** Milliseconds of the life of a command that does not end by itself. [the moments are those of a whole run] */
  readonly life?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What happens to a process: SIGINT after some milliseconds, or no reader of its output from the start. */
type Fate = { readonly after: number } | 'unread' | undefined;

function run(
  args: readonly string[],
  cwd: string,
  fate: Fate,
  given: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const begin = performance.now();
  let [sent, text] = [Number.POSITIVE_INFINITY, ''];
  const env = { ...process.env, HEDDLE_CACHE: join(cwd, '.cache'), GALLIVM_PERF: 'nopt', ...given };
  const child = spawn(process.execPath, [distFile('cli.js'), ...args], { cwd, env });
  for (const stream of [child.stdout, child.stderr])
    if (fate === 'unread') stream.destroy();
    else
      stream.on('data', (part) => {
        text += part;
      });
  child.stdin.end();
  const kill = () => {
    sent = performance.now();
    child.kill('SIGINT');
  };
  const timer = typeof fate === 'object' ? setTimeout(kill, fate.after) : undefined;
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const now = performance.now();
      const status = signal === 'SIGINT' ? 130 : code;
      resolve({ status, ms: now - begin, late: Math.max(0, now - sent), text });
    });
  });
}

/** Runs a command in a copy of a folder, and expects no temporary files and whole folders. */
async function inCopy(
  args: readonly string[],
  from: string,
  fate: Fate,
  env: InterruptOptions['env'],
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-interrupt-'));
  try {
    await cp(from, folder, { recursive: true });
    const ended = await run(args, folder, fate, env);
    await expectWhole(folder, `${args.join(' ')}, ${JSON.stringify(fate ?? 'to its end')}: ${ended.text}`);
    return ended;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a command in copies of the folder `from`: once to its end, then with SIGINT at some moments. Expects status
 * 130, or 0 if the command was faster; no temporary files, and whole folders.
 */
export async function interruptEverywhere(
  args: readonly string[],
  from: string,
  { moments, bound = Number.POSITIVE_INFINITY, life, env }: InterruptOptions,
): Promise<void> {
  let ms = life;
  if (ms === undefined) {
    const whole = await inCopy(args, from, undefined, env);
    expect(whole.status, whole.text).toBe(0);
    ms = whole.ms;
  }
  for (let i = 0; i < moments; i++) {
    const after = Math.round(((i + 0.5) / moments) * ms);
    const ended = await inCopy(args, from, { after }, env);
    const name = `${args.join(' ')}: SIGINT after ${after} of ${Math.round(ms)} ms: ${ended.text}`;
    // The command may end before the signal.
    expect([130, 0], name).toContain(ended.status);
    if (Number.isFinite(ended.late)) expect(ended.late, name).toBeLessThan(bound);
  }
}

/** Runs a command whose output nobody reads. Expects status 141, no temporary files, and whole folders. */
export async function expectPipeStatus(
  args: readonly string[],
  from: string,
  { env }: Pick<InterruptOptions, 'env'> = {},
): Promise<void> {
  const { status } = await inCopy(args, from, 'unread', env);
  expect(status, args.join(' ')).toBe(141);
}

/** Expects no temporary files in a folder, and folders of heddle's that are as they were written. */
async function expectWhole(folder: string, name: string): Promise<void> {
  const paths = readdirSync(folder, { recursive: true }).map(String);
  expect(
    paths.filter((path) => !path.startsWith('.cache') && /\.partial$|\.probe$|\.heddle-|\.lock$/.test(path)),
    name,
  ).toEqual([]);
  for (const path of paths)
    if (path.endsWith('heddle-manifest.json'))
      await verifyFolder(nodeFiles(), join(folder, path, '..')).catch((error) =>
        expect.fail(`${name}: ${error.message}`),
      );
}
