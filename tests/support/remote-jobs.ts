// Tests of jobs outside this process, for each host: results, events, errors, aborts, and errors if the host
// is gone.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { RemoteJobOptions } from '../../src/commands/remote/remote-job.ts';
import { HeddleError } from '../../src/core/errors.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import type { TrainResult } from '../../src/train/run/train-result.ts';
import { distFile } from './dist.ts';
import { errorAbout } from './expect-error.ts';
import { tinyTraining } from './training.ts';

/** A training that never ends. */
const endless = tinyTraining({
  corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 100, seed: 1 },
  heldOut: 0,
  model: { dModel: 8, heads: 1, feedForward: 8, encoderLayers: 1, decoderLayers: 1 },
  tokenizer: 'char',
  vocabSize: 50,
  steps: 1_000_000,
  batchSize: 4,
  learningRate: 1e-3,
  seed: 1,
});

/** A host of jobs. */
export interface TestedHost {
  readonly name: string;
  /** Its name in messages. */
  readonly place: string;
  /** Name of its processes. */
  readonly program: RegExp;
  readonly run: (job: string, args: unknown, options: RemoteJobOptions) => Promise<unknown>;
}

/** Declares the tests of a host. */
export function testRemoteJobs({ name, place, program, run: runJob }: TestedHost): void {
  describe(`a job in ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-remote-job-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    afterEach(() => {
      vi.unstubAllEnvs();
      expect(processes()).toEqual([]); // no process may still run
    });

    /** Running processes of the host that this process has started. */
    function processes(): number[] {
      const list = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
      return list
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(
          ([, parent, stat, path]) =>
            Number(parent) === process.pid && stat?.[0] !== 'Z' && program.test(path ?? ''),
        )
        .map(([pid]) => Number(pid));
    }

    function run(job: string, args: unknown, options: Partial<RemoteJobOptions> = {}): Promise<unknown> {
      distFile('headless-page.js'); // throws if the page is older than its sources
      const signal = new AbortController().signal;
      return runJob(job, args, { paths: [], signal, onEvent: () => {}, ...options });
    }

    it('forwards events in order, stops at a step on request, and saves through the file server', async () => {
      const out = join(folder, 'model');
      const stop = new AbortController();
      const done: number[] = [];
      const onEvent = (event: unknown) => {
        const told = event as JobEvent;
        if (told.type === 'progress' && told.task === 'train') done.push(told.done);
        if (done.length === 3) stop.abort();
      };
      const result = (await run(
        'train',
        { ...endless, out },
        { paths: [out], signal: stop.signal, onEvent },
      )) as TrainResult;
      expect(result.stopped).toBe(true);
      expect(result.losses.length).toBeGreaterThanOrEqual(done[2] as number);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(readdirSync(out)).toContain('model.safetensors');
      expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).model.dModel).toBe(8);
    });

    it('sees only the files that are served, and throws a HeddleError of the job', async () => {
      const failed = run('verify', { folders: ['/etc'] }, { paths: [folder] });
      await expect(failed).rejects.toThrow(errorAbout({ area: '/etc/heddle-manifest.json' }));
      await expect(failed).rejects.toBeInstanceOf(HeddleError);
    });

    it('reads the name of a known adapter in HEDDLE_ADAPTER', async () => {
      vi.stubEnv('HEDDLE_ADAPTER', 'rtx');
      await expect(run('train', { ...endless, out: '' })).rejects.toThrow(
        errorAbout({ kind: 'not-found', area: 'HEDDLE_ADAPTER', values: ['rtx'] }),
      );
    });

    it('throws if the host ends', async () => {
      const onEvent = () => {
        for (const pid of processes()) process.kill(pid, 'SIGKILL');
      };
      const out = join(folder, 'killed');
      const killed = run('train', { ...endless, out }, { paths: [out], onEvent });
      await expect(killed).rejects.toThrow(errorAbout({ kind: 'device', values: ['train'] }));
      expect(existsSync(out)).toBe(false);
    });

    it('names the job if the page does not answer a heartbeat', async () => {
      // No page answers within a microsecond, as if it hung.
      const hung = run('train', { ...endless, out: '' }, { heartbeat: { every: 0.05, within: 1e-6 } });
      await expect(hung).rejects.toThrow(errorAbout({ kind: 'timeout', values: [place, 'train'] }));
    });
  });
}
