// The states of a training in words, as the message log and the table of runs show them.

import type { RunSummary } from '../../../src/entries/reports.ts';
import { say } from '../../common/page-texts.ts';
import type { SessionState } from '../protocol.ts';

/** The states by their names. */
export const stateWords: Readonly<Record<SessionState | RunSummary['state'], string>> = {
  idle: say`idle`,
  preparing: say`preparing`,
  training: say`training`,
  paused: say`paused`,
  recovering: say`recovering`,
  stopping: say`stopping`,
  stopped: say`stopped`,
  done: say`done`,
  failed: say`failed`,
  patience: say`patience`,
  unfinished: say`unfinished`,
};
