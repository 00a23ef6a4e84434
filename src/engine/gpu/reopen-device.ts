// Opens a device in place of one that was lost.

import { HeddleError, reasonOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** What this file needs of a device: device.ts imports it. */
interface OpenedDevice {
  readonly gpu: Pick<GPUDevice, 'queue'>;
  lost(): Promise<string | undefined>;
}

/** Delay before each attempt, in milliseconds: half a minute in total. */
const retryDelays = [0, 250, 500, 1000, 2000, 4000, 8000, 16000];

/**
 * Opens a device with `open`, with retries for half a minute: a crashed driver or browser process needs time
 * to restart. Throws a HeddleError with the last reason, and the reason of the signal if it is aborted.
 */
export async function openWithRetries(open: () => Promise<OpenedDevice>, signal: AbortSignal): Promise<void> {
  let failure: unknown;
  for (const delay of retryDelays) {
    await new Promise((resolve) => setTimeout(resolve, delay));
    signal.throwIfAborted();
    try {
      const next = await open();
      await next.gpu.queue.onSubmittedWorkDone();
      const lost = await next.lost();
      if (lost === undefined) return;
      throw new HeddleError(msg`The new GPU device was lost at once (${lost}).`, { kind: 'device' });
    } catch (error) {
      failure = error;
    }
  }
  throw new HeddleError(
    msg`The GPU device was lost, and there is no new one; reload the page or start the program again. ${reasonOf(failure)}`,
    { kind: 'device', cause: failure },
  );
}
