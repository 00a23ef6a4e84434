// Runs a job for a command, with its progress on stderr. The first Ctrl-C, SIGTERM or SIGHUP ends the job at its next
// step, the second ends the process.

import { HeddleError } from '../core/errors.ts';
import type { ArgumentsOf, JobName, ResultOf } from '../run/jobs.ts';
import { type HostName, type RunOptions, runJob } from '../run/run-job.ts';
import { log } from './output.ts';
import { createProgress } from './progress-line.ts';

/** Options of commands that run a job. */
export interface HostOptions {
  readonly host: HostName;
  /** Name or index of the adapter of Dawn. */
  readonly adapter?: string;
  readonly memoryLimit?: number;
  readonly tune?: boolean;
  /** Report timestamp queries in nanoseconds; both hosts round them to about 0.1 ms by default. */
  readonly exactTimestamps?: boolean;
  /** Receives each piece of a result that the job emits in pieces. */
  readonly onPiece?: (text: string) => void;
  /** Receives each part of a result that comes in parts. */
  readonly onResult?: (value: unknown) => void;
  /** The texts to work on, for jobs that take them as they come. */
  readonly nextTexts?: RunOptions['input'];
  /** Receives the browser that was started. */
  readonly onBrowser?: RunOptions['onBrowser'];
}

/** Exit status of a command that a signal ended, as in shells: 128 and the number of the signal. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs a job that may use the files and folders in `paths`, and returns its result. If a signal ended it, it returns
 * the result so far or throws, and the exit status of the command is that of the signal.
 */
export async function runWithProgress<N extends JobName>(
  name: N,
  args: ArgumentsOf<N>,
  {
    host,
    adapter,
    memoryLimit,
    tune = true,
    exactTimestamps = false,
    onPiece,
    onResult,
    nextTexts,
    onBrowser,
  }: HostOptions,
  paths: readonly string[] = [],
): Promise<ResultOf<N>> {
  const progress = createProgress();
  const interrupt = new AbortController();
  let interrupted = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    const status = signals[signal as keyof typeof signals];
    if (interrupt.signal.aborted) process.exit(status); // Puppeteer's exit hook ends the browser
    interrupted = status;
    log('heddle: stopping after this step; press Ctrl-C again to stop at once');
    interrupt.abort();
  };
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  try {
    return await runJob(name, args, {
      host,
      tune,
      paths,
      signal: interrupt.signal,
      onEvent: (event) => {
        progress.show(event);
        if (event.type === 'piece') onPiece?.(event.text);
        if (event.type === 'result') onResult?.(event.value);
      },
      browser: { handleSignals: false, exactTimestamps },
      dawn: { quiet: true, exactTimestamps, ...(adapter !== undefined && { adapter }) },
      ...(onBrowser && { onBrowser }),
      ...(nextTexts && { input: nextTexts }),
      ...(memoryLimit !== undefined && { memoryLimit }),
    });
  } catch (error) {
    if (!interrupt.signal.aborted || error instanceof HeddleError) throw error;
    throw new HeddleError(`${name}: interrupted`, { cause: error });
  } finally {
    if (interrupted) process.exitCode = interrupted;
    progress.close();
    // After a signal the process is about to end: another one still ends it with its status.
    if (!interrupted) for (const signal of Object.keys(signals)) process.off(signal, onSignal);
  }
}
