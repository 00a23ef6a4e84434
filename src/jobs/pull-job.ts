// heddle pull: a model from the hub into a folder.

import { HeddleError } from '../core/errors.ts';
import { type PulledModel, pull as pullModel } from '../hub/pull-model.ts';
import { repository } from '../hub/repository.ts';
import type { Job } from '../runtime/job.ts';

/** What to fetch; plain JSON. */
export interface PullArguments {
  /** `OWNER/NAME`. */
  readonly name: string;
  readonly revision: string;
  /** URL of the hub. */
  readonly hub: string;
  readonly out: string;
  /** Whether a folder that is there is replaced. */
  readonly force?: boolean;
  /** Access token, for models that are not public. */
  readonly token?: string;
  /** Milliseconds without a byte after which a connection counts as cut; a minute unless given. */
  readonly patience?: number;
  /** Milliseconds before the first new try; half a second unless given. */
  readonly pause?: number;
}

const mega = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** Fetches a model. Throws a HeddleError, before anything is asked for, where `out` is there and not to be replaced. */
export const pull: Job<PullArguments, PulledModel> = async (args, context) => {
  const { name, revision, hub, out, force = false, token, patience = 60_000, pause = 500 } = args;
  const from = repository(name, revision, hub);
  if (!force && (await context.files.exists(out)))
    throw new HeddleError(`${out}: it is there already; --force fetches it anew, or name another with --out`);
  const started = performance.now();
  let before: number | undefined;
  const web = {
    fetch: (...x: Parameters<typeof fetch>) => fetch(...x),
    token,
    signal: context.signal,
    idleTimeout: patience,
    retryDelay: pause,
    maxRetries: 5,
  };
  return pullModel(context.files, web, from, out, ({ file, loaded, total }) => {
    before ??= loaded;
    const rate = mega(((loaded - before) / Math.max(1, performance.now() - started)) * 1000);
    context.emit({
      type: 'progress',
      task: 'pull',
      done: mega(loaded),
      of: mega(total),
      text: `MB  ${file}, ${rate} MB/s`,
    });
  });
};
