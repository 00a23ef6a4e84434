// heddle verify: compares the results of a backend with a reference. The reference of a golden case is the
// result of PyTorch or transformers in float64. The reference of a model folder is its expected.json or, if
// there is none, the float64 references of the ops.

import { HeddleError } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import { baseName } from '../../../files/files.ts';
import { readJson } from '../../../files/json-files.ts';
import { settledFolder } from '../../../files/settled-folder.ts';
import { verifiedWhile, verifyFolder } from '../../../files/verified-files.ts';
import { isModelFolder } from '../../../formats/model-folder.ts';
import type { WeightFormat } from '../../../model/quantized-parameters.ts';
import type { Job } from '../../../session/job.ts';
import type { Session } from '../../../session/session.ts';
import { checkExpected, hasExpected } from './expected-outputs.ts';
import { type CacheType, checkGolden, type Row } from './golden-checks.ts';
import { readOtherGolden } from './golden-hf.ts';
import type { FindReader } from './golden-reader.ts';
import { checkReference, checkWeights } from './logit-checks.ts';

/** One compared quantity of a case. */
export interface Comparison {
  readonly quantity: string;
  /**
   * max|x - ref| / max|ref|; for decoding the number of wrong tokens; for logits of expected.json max|x -
   * ref|.
   */
  readonly error: number;
  readonly limit: number;
  readonly passed: boolean;
}

/** Result of one case. */
export interface VerifiedCase {
  readonly name: string;
  readonly backend: string;
  readonly compared: readonly Comparison[];
  /** Note for the user. */
  readonly fact?: string;
  /** Why nothing was compared: a folder that cannot be read, among others. */
  readonly refused?: string;
}

/** Arguments of the job; plain JSON. */
export interface VerifyArguments {
  /** Golden cases and model folders. */
  readonly folders: readonly string[];
  /**
   * Weight format. f16, int8 and int4 are compared with f32; f32, the default, with the reference of the folder.
   */
  readonly weights?: WeightFormat;
  /** See LoadOptions. */
  readonly weightsExclude?: readonly string[];
  /** f16: decodes golden cases with a KV cache in f16, and compares the ids. [f32] */
  readonly cacheType?: CacheType;
}

/**
 * The job that verifies folders; `findReader` finds the readers of guests' golden cases. A failed comparison is part of the result, and a folder that cannot be read if there are
 * others. Throws a HeddleError if the only folder cannot be read.
 */
export const verifyWith =
  (findReader: FindReader): Job<VerifyArguments, VerifiedCase[]> =>
  async ({ folders, ...storage }, session) => {
    const results: VerifiedCase[] = [];
    for (const folder of folders) {
      const name = baseName(folder);
      const { rows, fact, refused } = await verifyOne(folder, storage, session, findReader).catch(
        (error: unknown) => {
          if (folders.length === 1 || !(error instanceof HeddleError) || session.signal.aborted) throw error;
          return { rows: [], fact: undefined, refused: error.message };
        },
      );
      const compared = rows.map(([quantity, error, limit]) => ({
        quantity,
        error,
        limit,
        passed: error <= limit,
      }));
      results.push({ name, backend: session.backend, compared, fact, refused });
      session.emit({
        type: 'progress',
        task: 'verify',
        done: results.length,
        total: folders.length,
        text: name,
      });
    }
    return results;
  };

/** What was compared of a folder, whose checksums are checked meanwhile. */
async function verifyOne(
  folder: string,
  storage: Omit<VerifyArguments, 'folders'>,
  session: Session,
  findReader: FindReader,
): Promise<{ rows: readonly Row[]; fact?: string; refused?: string }> {
  const verified = verifyFolder(session.files, await settledFolder(session.files, folder));
  return verifiedWhile(verified, () => check(folder, storage, session, findReader));
}

async function check(
  folder: string,
  { weights = 'f32', weightsExclude, cacheType }: Omit<VerifyArguments, 'folders'>,
  session: Session,
  findReader: FindReader,
): Promise<{ rows: readonly Row[]; fact?: string }> {
  const { files } = session;
  const reader = await findReader(files, folder);
  const readCase = () => reader?.read(files, folder) ?? readOtherGolden(files, folder);
  if (weights !== 'f32') return checkWeights(folder, weights, session, readCase, weightsExclude);
  if (reader) return { rows: await reader.check(files, folder, () => session.engine(), cacheType) };
  const isCase = await files.exists(`${folder}/batch.safetensors`);
  if (cacheType === 'f16' && !isCase)
    throw new HeddleError(
      msg`${folder} is no golden case; only those are compared with the option ${option('cacheType')}`,
    );
  if (await hasExpected(session, folder)) return { rows: await checkExpected(folder, session) };
  if (await isModel(session, folder)) return checkReference(folder, session, readCase);
  return { rows: await checkGolden(await readCase(), () => session.engine(), cacheType) };
}

/** Whether a folder is a model and not a golden case. */
async function isModel({ files, features }: Session, folder: string): Promise<boolean> {
  const path = `${folder}/config.json`;
  if (await files.exists(`${folder}/batch.safetensors`)) return false;
  if (!(await files.exists(path))) return isModelFolder(files, folder, features.formats);
  const { model_type: type, format } = await readJson(files, path);
  return type !== undefined || format !== undefined;
}
