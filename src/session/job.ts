// A job is the work of a command, independent of the host: the same function runs in Node (on Dawn or the
// CPU), in Deno and in a page. Arguments and result are plain JSON; the session has everything else.

import type { Session } from './session.ts';

/** A job: arguments and result are plain JSON. `Extra`: what it reports besides the events of any job. */
export type Job<Arguments, Result, Extra = never> = (
  args: Arguments,
  session: Session<Extra>,
) => Promise<Result>;
