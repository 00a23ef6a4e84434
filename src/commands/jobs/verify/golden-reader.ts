// How golden cases of a guest are read and compared.

import type { Engine } from '../../../engine/engine.ts';
import type { Files } from '../../../files/files.ts';
import type { GoldenCase } from './golden-case.ts';
import type { CacheType, Row } from './golden-checks.ts';

/** Reads and compares the golden cases of a kind. */
export interface GoldenReader {
  /** Reads the case of a folder. Throws a HeddleError that names the file and the problem. */
  read(files: Files, folder: string): Promise<GoldenCase>;
  /** Compares all that a case has, each on a new engine. With `cacheType` f16 only the ids of its decoding. */
  check(
    files: Files,
    folder: string,
    newEngine: () => Promise<Engine>,
    cacheType?: CacheType,
  ): Promise<readonly Row[]>;
}

/** Finds the reader of a golden case of a guest; undefined for other folders. */
export type FindReader = (files: Files, folder: string) => Promise<GoldenReader | undefined>;
