// The programs that a visitor takes away: a model with its settings and some pairs, as an archive. Loaded at its
// first use.

import { msg } from '../../../src/core/message.ts';
import { type CorpusArguments, intlCorpus, readTsv, taskCorpus } from '../../../src/entries/data.ts';
import {
  HeddleError,
  loadModel,
  type Model,
  type Pair,
  readCheckpoint,
  type TrainSettings,
} from '../../../src/entries/heddle.ts';
import { zipParts } from '../../../src/entries/host.ts';
import { takeAway } from '../../../src/features/pytorch/take-away/model-programs.ts';
import { type ModelStore, modelFolder } from '../../storage/model-store.ts';

/** Number of pairs of a corpus that the programs have. */
const count = 16;

/** An archive of the programs of a model. */
export async function takeAwayModel(
  model: Model,
  name: string,
  pairs: readonly Pair[],
  settings: TrainSettings,
): Promise<Blob> {
  const files = await takeAway(model, name, pairs, settings, await library());
  return new Blob(zipParts(files) as BlobPart[], { type: 'application/zip' });
}

/** The library in one file, which is beside the pages. */
async function library(): Promise<Uint8Array> {
  const response = await fetch(new URL('../heddle.bundle.js', self.location.href)); // a worker is in assets/
  if (!response.ok)
    throw new HeddleError(
      msg`This build of the pages lacks heddle.bundle.js, which the programs need: it is written by npm run build.`,
    );
  return new Uint8Array(await response.arrayBuffer());
}

/** An archive of the programs of a stored model, with the settings of its training and pairs of its corpus. */
export async function takeAwayStored(store: ModelStore, name: string): Promise<Blob> {
  const files = await store.filesOf(name);
  const checkpoint = await readCheckpoint(modelFolder(name), { files }).catch(() => undefined);
  const stored = checkpoint?.storedPairs;
  const model = await loadModel(new File([await store.archive(name)], `${name}.zip`));
  try {
    const own =
      stored === undefined
        ? generated(checkpoint?.corpus)
        : readTsv(await files.read(stored), name).pairs.slice(0, count);
    const pairs = own.length > 0 ? own : await ownPairs(model);
    return await takeAwayModel(model, name, pairs, checkpoint?.settings ?? {});
  } finally {
    model.dispose();
  }
}

/** The first pairs of a corpus that is generated; none of others. */
function generated(corpus: CorpusArguments | undefined): readonly Pair[] {
  if (corpus?.kind === 'intl') return intlCorpus({ ...corpus, pairs: count });
  return corpus?.kind === 'task' ? taskCorpus({ ...corpus, pairs: count }) : [];
}

/** For a model whose corpus is unknown: sentences with its own translations. */
async function ownPairs(model: Model): Promise<readonly Pair[]> {
  const sources = ['Good morning.', 'Where is the station?', 'Thank you.'];
  const targets = await model.translate(sources);
  return sources.map((source, i) => ({ source, target: targets[i] || source }));
}
