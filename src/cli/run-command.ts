// Runs a job for a command: shows its progress, passes on Ctrl-C, and gives its result.

import { HeddleError } from '../core/errors.ts';
import type { ArgumentsOf, JobName, ResultOf } from '../run/jobs.ts';
import { type HostName, type RunOptions, runJob } from '../run/run-job.ts';
import { interruptedStatus, watchInterrupts } from './interrupt.ts';
import { createProgress } from './progress-line.ts';

/** Options that every command which runs a job has. */
export interface HostOptions {
  readonly host: HostName;
  readonly memoryLimit?: number;
  readonly tune?: boolean;
  /** Timestamp queries in full nanoseconds; both hosts otherwise round them to about 0.1 ms. */
  readonly exactTimestamps?: boolean;
  /** Told each part of the result as it comes, where a job gives it in parts. */
  readonly onPiece?: (text: string) => void;
  /** Told which Chrome was started, where one was. */
  readonly onChrome?: RunOptions['onChrome'];
}

/**
 * Runs a job with the progress on stderr. `paths` are the files and folders that it may use. A run ended by Ctrl-C still gives its
 * result, where it has one, and the command's status is 130.
 */
export async function runWithProgress<N extends JobName>(
  name: N,
  args: ArgumentsOf<N>,
  { host, memoryLimit, tune = true, exactTimestamps = false, onPiece, onChrome }: HostOptions,
  paths: readonly string[] = [],
): Promise<ResultOf<N>> {
  const progress = createProgress();
  const interrupt = watchInterrupts();
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
      chrome: { handleSignals: false, exactTimestamps },
      dawn: { exactTimestamps },
      ...(onChrome && { onChrome }),
      ...(memoryLimit !== undefined && { memoryLimit }),
    });
  } catch (error) {
    if (!interrupt.signal.aborted || error instanceof HeddleError) throw error;
    throw new HeddleError(`${name}: ended before it was done`, { cause: error });
  } finally {
    if (interrupt.signal.aborted) process.exitCode = interruptedStatus;
    progress.close();
    interrupt.release();
  }
}
