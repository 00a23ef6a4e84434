// Ctrl-C and its kin: the first asks the job to end at its next step and keep what it has, the second ends the process.

import { tell } from './output.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Exit status of a command that was ended by Ctrl-C, as shells know it. */
export const interruptedStatus = 130;

/** Watches for signals until `release`; `signal` is aborted at the first. */
export function watchInterrupts(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(interruptedStatus); // Puppeteer's exit hook ends Chrome
    tell('heddle: ending after this step; once more ends at once');
    controller.abort();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
