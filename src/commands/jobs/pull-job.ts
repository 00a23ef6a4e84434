// heddle pull: downloads a model from the hub, or of Firefox Translations, into a folder.

import type { PullOptions } from '../../api/hub-models.ts';
import { pullModel } from '../../api/model-files.ts';
import { check, HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { commandHints } from '../../files/hub/http.ts';
import type { PulledModel } from '../../files/hub/pull-model.ts';
import { repository } from '../../files/hub/repository.ts';
import type { WeightFormat } from '../../model/quantized-parameters.ts';
import type { Job } from '../../session/job.ts';

/** Arguments of the job; plain JSON. */
export interface PullArguments {
  /** `OWNER/NAME`, or a pair of languages. */
  readonly name: string;
  readonly revision: string;
  /** URL of the hub. */
  readonly hub: string;
  /** Record and base address of models of Firefox Translations. [Mozilla's] */
  readonly registry?: string;
  readonly baseUrl?: string;
  readonly out: string;
  /** Whether to replace an existing folder. */
  readonly force?: boolean;
  /** Format in which the weights will be loaded, for the memory that they need. [f32] */
  readonly weights?: WeightFormat;
  /** Access token for models that are not public. */
  readonly token?: string;
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/**
 * Downloads a model. Throws a HeddleError, before the first request, if `out` exists and `force` is not set.
 */
export const pull: Job<PullArguments, PulledModel> = async (args, session) => {
  const { name, revision, hub, out, force = false, token, registry, baseUrl, weights } = args;
  const { memoryBudget } = session;
  const isPair = session.features.sources.some(({ hasName }) => hasName(name));
  if (!isPair) repository(name, revision, hub); // throws if one of them is invalid
  check(
    isPair || (registry === undefined && baseUrl === undefined),
    msg`--registry and --base-url are for pairs of languages such as en-es; ${name} is a model on the hub`,
    { area: 'pull' },
  );
  if (!force && (await session.files.exists(out)))
    throw new HeddleError('it exists already; use --force to download it again, or another --out', {
      area: out,
    });
  const started = performance.now();
  let before: number | undefined;
  const options: PullOptions = {
    files: session.files,
    signal: session.signal,
    hints: commandHints,
    revision,
    hub,
    token,
    registry,
    baseUrl,
    memoryBudget,
    weights,
    onMessage: (text: Message | string) => session.emit({ type: 'message', text }),
    onDownload({ file, loaded, total }) {
      before ??= loaded;
      const rate = megabytes(((loaded - before) / Math.max(1, performance.now() - started)) * 1000);
      session.emit({
        type: 'progress',
        task: 'pull',
        done: megabytes(loaded),
        total: megabytes(total),
        text: msg`MB  ${file}, ${rate} MB/s`,
      });
    },
  };
  return pullModel(name, out, options, session.features);
};
