// heddle average: averages the weights of several checkpoints of one training (Vaswani et al., 2017, section
// 6.1).

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Files } from '../../files/files.ts';
import { readManifest } from '../../files/owned-folder.ts';
import { saveModelFolder } from '../../formats/save-heddle.ts';
import { parameterList } from '../../model/parameters.ts';
import type { Job } from '../../session/job.ts';
import { openModel } from '../../session/open-model.ts';

/** Arguments of the job; plain JSON. */
export interface AverageArguments {
  readonly folders: readonly string[];
  readonly out: string;
  /** Whether to average checkpoints of different runs. */
  readonly mixed?: boolean;
}

/** Result of the job; plain JSON. */
export interface Averaged {
  readonly out: string;
  readonly models: number;
  readonly parameters: number;
}

/**
 * Writes a model with the mean weights, computed in float64, and everything else from the first model. Throws
 * a HeddleError that names the folder whose configuration or vocabulary differs.
 */
export const average: Job<AverageArguments, Averaged> = async ({ folders, out, mixed }, session) => {
  const { files } = session;
  const [name = '', ...others] = folders;
  check(others.length > 0, 'give two or more checkpoints', { area: 'average' });
  if (!mixed) await checkOneRun(files, folders);
  const first = await openModel(name, session);
  const sums = Float64Array.from(first.weights);
  const sizes = JSON.stringify(first.config);
  const vocabulary = JSON.stringify([first.source, first.target]);
  for (const folder of others) {
    session.signal.throwIfAborted();
    const { weights, config, source, target } = await openModel(folder, session);
    check(JSON.stringify(config) === sizes, msg`its configuration differs from that of ${name}`, {
      area: folder,
    });
    check(JSON.stringify([source, target]) === vocabulary, msg`its vocabulary differs from that of ${name}`, {
      area: folder,
    });
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (weights[i] as number);
  }
  const weights = Float32Array.from(sums, (sum) => sum / folders.length);
  await saveModelFolder(files, out, { ...first, weights });
  return { out, models: folders.length, parameters: parameterList(first.config, first.sourceKind).count };
};

/** Throws a HeddleError if the manifests of two checkpoints name different training runs. */
async function checkOneRun(files: Files, folders: readonly string[]): Promise<void> {
  const [name = '', ...others] = folders;
  const run = (await readManifest(files, name))?.run;
  for (const folder of others)
    check(
      (await readManifest(files, folder))?.run === run,
      msg`it is a checkpoint of another training run than ${name}; --mixed averages them all the same`,
      { area: folder },
    );
}
