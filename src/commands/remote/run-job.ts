// Runs a job on this machine: in this process on Dawn or the CPU, in a page of a headless browser, or
// in Deno.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { features } from '../../features/features.ts';
import { type ChromeOptions, launchChrome } from '../../host/chrome.ts';
import { type DawnOptions, dawnGpu } from '../../host/dawn.ts';
import { launchFirefox } from '../../host/firefox.ts';
import { cachePath } from '../../host/node-files.ts';
import { nodeHost } from '../../host/node-host.ts';
import { Session } from '../../session/session.ts';
import type { DeviceName } from '../../session/session-device.ts';
import type { JobEvent, TrainingEvent } from '../../train/report/training-events.ts';
import type { CommandJob } from './command-job.ts';
import { runInDeno } from './deno-job.ts';
import { type PageJobOptions, runJobInPage } from './page-job.ts';
import type { RemoteJobOptions } from './remote-job.ts';

/** Hosts of jobs. */
export const hostNames = ['dawn', 'chrome', 'firefox', 'deno', 'cpu'] as const;
/** Where a job runs. */
export type HostName = (typeof hostNames)[number];

/** Options of `runJob`. `paths` are for a job outside this process. */
export interface RunOptions
  extends Partial<Pick<RemoteJobOptions, 'paths' | 'signal' | 'input' | 'memoryLimit' | 'memoryBudget'>> {
  readonly host: HostName;
  /** What computes on Dawn. [gpu] */
  readonly device?: DeviceName;
  readonly onEvent?: (event: JobEvent) => void;
  /** Auto-tune kernels, which takes a few seconds at first use (default: true). */
  readonly tune?: boolean;
  /** Options of the browser. Firefox ignores those of the adapter. */
  readonly browser?: ChromeOptions;
  readonly onBrowser?: PageJobOptions['onBrowser'];
  readonly dawn?: DawnOptions;
  /** Closes the device of this process after the job, by `close`, or leaves it to the end of the process. */
  readonly onClosing?: (close: () => Promise<void>) => void;
}

/** Runs a job and returns its result. Throws the error of the job, a HeddleError if the user can fix it. */
export async function runJob<A, R>(job: CommandJob<A, R>, args: A, options: RunOptions): Promise<R> {
  const { host, onEvent = () => {}, signal = new AbortController().signal, tune = true } = options;
  const { paths = [], device, dawn, browser, onBrowser, memoryLimit, memoryBudget, input } = options;
  if (dawn?.adapter !== undefined && host !== 'dawn')
    throw new HeddleError(msg`only --host dawn chooses among adapters, not ${host}`, {
      area: `--adapter ${dawn.adapter}`,
    });
  if (device !== undefined && host !== 'dawn')
    throw new HeddleError(msg`only --host dawn has a choice of devices, not ${host}`, {
      area: `--device ${device}`,
    });
  if (host === 'chrome' || host === 'firefox' || host === 'deno') {
    const kernelFile = tune ? cachePath('kernels.json') : undefined;
    const remote: RemoteJobOptions = { paths, signal, kernelFile, onEvent, memoryLimit, memoryBudget, input };
    const { gpu, exactTimestamps, ...shared } = browser ?? {};
    const launch = () => (host === 'chrome' ? launchChrome(browser) : launchFirefox(shared));
    const running =
      host === 'deno'
        ? runInDeno(job.name, args, remote)
        : runJobInPage(job.name, args, { ...remote, launch, onBrowser });
    return (await running) as R;
  }
  // Fail before any work if the adapter does not exist.
  if (dawn?.adapter !== undefined) await dawnGpu(dawn);
  const session = new Session<TrainingEvent>(
    { ...nodeHost(), gpu: () => dawnGpu(dawn) },
    {
      features,
      device: host === 'cpu' ? host : device,
      tune,
      onEvent,
      signal,
      input,
      memoryLimit,
      memoryBudget,
    },
  );
  try {
    const run = await job.load();
    return await run(args, session);
  } finally {
    // An aborted job does not wait for work in the background, such as the compilation of a pipeline.
    const close = () => session.close();
    if (options.onClosing) options.onClosing(close);
    else await close();
  }
}
