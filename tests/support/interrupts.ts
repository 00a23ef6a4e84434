// Sends SIGINT to a command at several moments of its life, and checks what it leaves behind.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { verifyFolder } from '../../src/files/verify-folder.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { distFile } from './dist.ts';

/** Maximum milliseconds from a signal to the end of the process: a step, a save, and the load of other programs. */
const bound = 10_000;

/** Status as a shell shows it, and milliseconds of a run of the built `heddle` in a folder. */
interface Run {
  readonly status: number | null;
  readonly ms: number;
  /** Milliseconds from the signal to the end. */
  readonly late: number;
  readonly text: string;
}

function run(args: readonly string[], cwd: string, after?: number): Promise<Run> {
  const begin = performance.now();
  let [sent, text] = [Number.POSITIVE_INFINITY, ''];
  const env = { ...process.env, HEDDLE_CACHE: join(cwd, '.cache'), GALLIVM_PERF: 'nopt' };
  const child = spawn(process.execPath, [distFile('cli.js'), ...args], { cwd, env });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      text += part;
    });
  const kill = () => {
    sent = performance.now();
    child.kill('SIGINT');
  };
  const timer = after === undefined ? undefined : setTimeout(kill, after);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const now = performance.now();
      const status = signal === 'SIGINT' ? 130 : code;
      resolve({ status, ms: now - begin, late: Math.max(0, now - sent), text });
    });
  });
}

/**
 * Runs a command in copies of the folder `from`: once to its end, then with SIGINT at `moments` moments. Expects
 * status 130 within a bound, or 0 if the command was faster; no temporary files, and whole folders.
 */
export async function interruptEverywhere(
  args: readonly string[],
  from: string,
  moments: number,
): Promise<void> {
  const inCopy = async (after?: number): Promise<Run> => {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-interrupt-'));
    try {
      await cp(from, folder, { recursive: true });
      const ended = await run(args, folder, after);
      const where = `${args.join(' ')}, ${after === undefined ? 'to its end' : `SIGINT after ${after} ms`}`;
      await expectWhole(folder, `${where}: ${ended.text}`);
      return ended;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const whole = await inCopy();
  expect(whole.status, whole.text).toBe(0);
  for (let i = 0; i < moments; i++) {
    const after = Math.round(((i + 0.5) / moments) * whole.ms);
    const ended = await inCopy(after);
    const name = `${args.join(' ')}: SIGINT after ${after} of ${Math.round(whole.ms)} ms: ${ended.text}`;
    // The command may end before the signal.
    expect([130, 0], name).toContain(ended.status);
    if (ended.late > 0 && ended.late < Number.POSITIVE_INFINITY) expect(ended.late, name).toBeLessThan(bound);
  }
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
