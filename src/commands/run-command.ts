// Runs the job of a command, with progress on stderr. The first Ctrl-C, SIGTERM or SIGHUP ends the job at its
// next step, the second ends the process.

import { HeddleError } from '../core/errors.ts';
import { type JsonOption, log, printResult } from './output.ts';
import { createProgress } from './progress-line.ts';
import type { ArgumentsOf, JobName, ResultOf } from './remote/jobs.ts';
import { type RunOptions, runJob } from './remote/run-job.ts';

/** Options of commands that run a job. */
export interface HostOptions extends Pick<RunOptions, 'host' | 'memoryLimit' | 'tune' | 'onBrowser'> {
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
  /** Returns the next texts, for jobs that read a stream of texts. */
  readonly nextTexts?: RunOptions['input'];
}

/** Exit status after a signal, as in shells: 128 plus the number of the signal. */
const exitStatuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs a job that may use the files and folders in `paths`, and returns its result. After a signal it returns
 * the result so far or throws, and the command exits with the status of the signal.
 */
export async function runWithProgress<N extends JobName>(
  name: N,
  args: ArgumentsOf<N>,
  options: HostOptions,
  paths: readonly string[] = [],
): Promise<ResultOf<N>> {
  const { host, tune, exactTimestamps = false, adapter, memoryLimit, onBrowser, nextTexts: input } = options;
  const progress = createProgress();
  const interrupt = new AbortController();
  let interrupted = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    const status = exitStatuses[signal as keyof typeof exitStatuses];
    if (interrupt.signal.aborted) process.exit(status); // Puppeteer's exit hook ends the browser
    interrupted = status;
    log('heddle: stopping after this step; press Ctrl-C again to stop at once');
    interrupt.abort();
  };
  for (const signal of Object.keys(exitStatuses)) process.on(signal, onSignal);
  try {
    return await runJob(name, args, {
      ...{ host, tune, paths, memoryLimit, input, onBrowser },
      signal: interrupt.signal,
      onEvent: (event) => {
        progress.show(event);
        if (event.type === 'piece') options.onPiece?.(event.text);
        if (event.type === 'result') options.onResult?.(event.value);
      },
      browser: { handleSignals: false, exactTimestamps },
      dawn: { quiet: true, exactTimestamps, adapter },
    });
  } catch (error) {
    if (!interrupt.signal.aborted || error instanceof HeddleError) throw error;
    throw new HeddleError(`${name}: interrupted`, { cause: error });
  } finally {
    if (interrupted) process.exitCode = interrupted;
    progress.close();
    // After a signal the process ends soon; another signal still ends it with its status.
    if (!interrupted) for (const signal of Object.keys(exitStatuses)) process.off(signal, onSignal);
  }
}

/** Runs a job and prints its result, as text or as JSON with `--json`. */
export async function runAndPrint<N extends JobName>(
  name: N,
  args: ArgumentsOf<N>,
  options: HostOptions,
  describe: (result: ResultOf<N>) => string,
  paths: readonly string[] = [],
): Promise<ResultOf<N>> {
  const result = await runWithProgress(name, args, options, paths);
  await printResult(result, options.json, () => describe(result));
  return result;
}
