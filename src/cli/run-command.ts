// Runs a job for a command, with its progress on stderr. The first Ctrl-C ends the job at its next step, the second
// ends the process.

import { HeddleError } from '../core/errors.ts';
import type { ArgumentsOf, JobName, ResultOf } from '../run/jobs.ts';
import { type HostName, type RunOptions, runJob } from '../run/run-job.ts';
import { log } from './output.ts';
import { createProgress } from './progress-line.ts';

/** Options of commands that run a job. */
export interface HostOptions {
  readonly host: HostName;
  readonly memoryLimit?: number;
  readonly tune?: boolean;
  /** Report timestamp queries in nanoseconds; both hosts round them to about 0.1 ms by default. */
  readonly exactTimestamps?: boolean;
  /** Receives each piece of a result that the job emits in pieces. */
  readonly onPiece?: (text: string) => void;
  /** Receives the browser that was started. */
  readonly onBrowser?: RunOptions['onBrowser'];
}

/** Exit status of a command that Ctrl-C ended, as in shells. */
const INTERRUPTED = 130;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a job that may use the files and folders in `paths`, and returns its result. If Ctrl-C ended it, it returns the
 * result so far or throws, and the exit status of the command is 130.
 */
export async function runWithProgress<N extends JobName>(
  name: N,
  args: ArgumentsOf<N>,
  { host, memoryLimit, tune = true, exactTimestamps = false, onPiece, onBrowser }: HostOptions,
  paths: readonly string[] = [],
): Promise<ResultOf<N>> {
  const progress = createProgress();
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED); // Puppeteer's exit hook ends the browser
    log('heddle: stopping after this step; press Ctrl-C again to stop at once');
    interrupt.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await runJob(name, args, {
      host,
      tune,
      paths,
      signal: interrupt.signal,
      onEvent: (event) => {
        progress.show(event);
        if (event.type === 'piece') onPiece?.(event.text);
      },
      browser: { handleSignals: false, exactTimestamps },
      dawn: { exactTimestamps },
      ...(onBrowser && { onBrowser }),
      ...(memoryLimit !== undefined && { memoryLimit }),
    });
  } catch (error) {
    if (!interrupt.signal.aborted || error instanceof HeddleError) throw error;
    throw new HeddleError(`${name}: interrupted`, { cause: error });
  } finally {
    if (interrupt.signal.aborted) process.exitCode = INTERRUPTED;
    progress.close();
    for (const signal of signals) process.off(signal, onSignal);
  }
}
