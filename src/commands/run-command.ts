// Runs the job of a command, with progress on stderr, and stops it early (interruption.ts).

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { commandName, Interruption } from './interruption.ts';
import { type JsonOption, printResult } from './output.ts';
import { openProgress } from './progress-line.ts';
import type { CommandJob } from './remote/command-job.ts';
import { type RunOptions, runJob } from './remote/run-job.ts';

/** Options of commands that run a job. */
export interface HostOptions
  extends Pick<RunOptions, 'host' | 'device' | 'memoryLimit' | 'memoryBudget' | 'tune' | 'onBrowser'> {
  /** Name or index of the adapter of Dawn. */
  readonly adapter?: string;
  readonly json?: JsonOption;
  /**
   * Whether timestamp queries have nanosecond resolution. Default: false; hosts then round to about 0.1 ms.
   */
  readonly exactTimestamps?: boolean;
  /** Receives each `piece` that the job emits. */
  readonly onPiece?: (text: string) => void;
  /** Receives each `result` that the job emits before its end. */
  readonly onResult?: (value: unknown) => void;
  /** What an interrupted job leaves, for its message. [nothing was written] */
  readonly left?: string;
  /** Returns the next texts, for jobs that read a stream of texts. */
  readonly nextTexts?: RunOptions['input'];
}

/**
 * Runs a job that may use the files and folders in `paths`, and returns its result. After a signal, or without
 * a reader of the output, it returns the result so far or throws, and the command exits with that status.
 */
export async function runWithProgress<A, R>(
  job: CommandJob<A, R>,
  args: A,
  options: HostOptions,
  paths: readonly string[] = [],
): Promise<R> {
  const {
    host,
    device,
    tune,
    exactTimestamps = false,
    adapter,
    memoryLimit,
    memoryBudget,
    onBrowser,
    nextTexts: input,
  } = options;
  const progress = openProgress(paths);
  const interruption = Interruption.open(job.saves === 'run');
  let work: Promise<R> | undefined;
  let closing: Promise<void> | undefined;
  const isSaving = job.saves !== undefined;
  const endsAtOnce = () => host === 'dawn' && !isSaving && interruption.isSignalled;
  try {
    work = runJob(job, args, {
      host,
      device,
      tune,
      paths,
      memoryLimit,
      memoryBudget,
      input,
      onBrowser,
      signal: interruption.signal,
      onEvent: (event) => {
        progress.show(event);
        if (event.type === 'step') interruption.stepped();
        if (event.type === 'piece') options.onPiece?.(event.text);
        if (event.type === 'result') options.onResult?.(event.value);
      },
      browser: { handleSignals: false, exactTimestamps },
      dawn: { exactTimestamps, adapter },
      // A device waits for the work on it before it closes.
      onClosing: (close) => {
        if (!endsAtOnce()) closing = close();
      },
    });
    // Dawn's process would end without the removal of the lock of the folder.
    return await (isSaving && host === 'dawn' ? work : interruption.abandoning(work, isSaving));
  } catch (error) {
    if (!interruption.signal.aborted || error instanceof HeddleError) throw error;
    const what =
      job.saves === 'run'
        ? 'stopped before the first step; nothing was saved'
        : `interrupted; ${options.left ?? 'nothing was written'}`;
    throw new HeddleError(msg`${what}`, { area: commandName(), kind: 'aborted', cause: error });
  } finally {
    const ended = endsAtOnce() ? new Promise(() => {}) : Promise.allSettled([work]).then(() => closing);
    await interruption.finish(ended, host === 'dawn', endsAtOnce());
    interruption.close();
    progress.close();
  }
}

/** Runs a job and prints its result, as text or as JSON with `--json`. */
export async function runAndPrint<A, R>(
  job: CommandJob<A, R>,
  args: A,
  options: HostOptions,
  describe: (result: R) => string,
  paths: readonly string[] = [],
): Promise<R> {
  const result = await runWithProgress(job, args, options, paths);
  await printResult(result, options.json, () => describe(result));
  return result;
}
