// The corpus of a training as plain JSON, and what a kind of corpus must do.

import type { Files } from '../../files/files.ts';
import type { Session } from '../../session/session.ts';
import type { Stage } from '../../text/batches/batch-source.ts';
import type { CorpusFiles } from '../../text/corpus/pair-files.ts';
import type { CorpusSplit } from '../../text/corpus/pairs.ts';
import type { IntlKind } from '../../text/intl/intl-corpus.ts';
import type { TaskName } from '../../text/tasks/task-corpus.ts';
import type { TextPool } from '../../text/text-pool.ts';

/** The corpus of a run; plain JSON. `Path`: how `train` is given its files, also as File and Blob objects. */
export type CorpusArguments<Path = string> =
  | {
      readonly kind: 'intl';
      readonly source: string;
      readonly target: string;
      readonly pairs: number;
      readonly seed: number;
      readonly kinds?: readonly IntlKind[];
    }
  /** A built-in task. */
  | { readonly kind: 'task'; readonly task: TaskName; readonly pairs: number; readonly seed: number }
  /**
   * Default of dev and test pairs: a share of the training pairs; no test pairs if there are dev pairs. `stages`:
   * the weights of the training files, which then are `train.files`. Default: all pairs alike.
   */
  | ({ readonly kind: 'files'; readonly stages?: readonly Stage[] } & CorpusFiles<Path>)
  /** One TSV file. */
  | {
      readonly kind: 'tsv';
      readonly path: Path;
      readonly dev?: Path;
      /** Store the pairs in the model folder, so that a run can resume without the file. */
      readonly keep?: boolean;
      /** With `keep`: no pairs are held out for test, and at least one for dev, unless `heldOut` is 0. */
      readonly devOnly?: boolean;
    };

/** The part of a session that reading a corpus needs. */
export type CorpusSession = Pick<Session, 'files' | 'emit' | 'features'> &
  Partial<Pick<Session, 'signal' | 'threads'>>;

/** The pairs of a corpus, and the number of training pairs of each file, in order, if it has files. */
export type ReadCorpus = CorpusSplit & { readonly fileSizes?: readonly number[] };

/** The pairs of a corpus, and the files to store in the model folder. */
export interface LoadedCorpus {
  readonly split: ReadCorpus;
  readonly keep: Readonly<Record<string, Uint8Array>>;
}

/** How a corpus is read. */
export interface CorpusReading {
  /** Fraction of the source sentences for dev, and the same fraction for test; see `heldOutParts`. */
  readonly heldOut: number;
  readonly session: CorpusSession;
  /** The checkpoint of a resumed run. */
  readonly from: { readonly files: Files; readonly folder: string } | undefined;
  readonly pool: TextPool;
}

/** A kind of corpus: a row of the table in corpus-kinds.ts. */
export interface CorpusKind<Corpus> {
  /** Its fields; the first one it must have. */
  readonly fields: readonly string[];
  /** `English to Spanish, from Unicode CLDR`, or the names of its files. */
  nameOf(corpus: Corpus): string;
  /** Its files; undefined if it is built in. */
  filesOf(corpus: Corpus): CorpusFiles | undefined;
  /** Whether the model folder stores the pairs, so that a run resumes without the file. */
  keepsPairs?(corpus: Corpus): boolean;
  /** Makes or reads the pairs and splits them by source sentence. A message gives the number of bad lines. */
  load(corpus: Corpus, reading: CorpusReading): Promise<LoadedCorpus>;
}
