// Folders `OUT.step-STEP` beside a model folder, which `keepLast` writes: those of another run are not replaced.

import { HeddleError } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import { baseName, type Files, folderPart, withoutEndSlash } from '../../files/files.ts';
import { readManifest } from '../../files/owned-folder.ts';

/**
 * Throws a HeddleError if `keepLast` could replace a folder `OUT.step-N` of heddle's that the run of the folder
 * `out` did not write. `resume`: whether that run goes on.
 */
export async function checkStepFolders(files: Files, out: string, resume: boolean): Promise<void> {
  const [, base = out, ending = ''] = /^(.*?)(\.zip)?$/is.exec(out) ?? [];
  const run = (await readManifest(files, out))?.run;
  for (const entry of await files.list(withoutEndSlash(folderPart(base)) || '.').catch(() => [])) {
    const step = entry.slice(baseName(base).length, entry.length - ending.length);
    if (!/^\.step-\d+$/.test(step) || entry !== `${baseName(base)}${step}${ending}`) continue;
    const manifest = await readManifest(files, base + step + ending);
    if (manifest && (run === undefined || manifest.run !== run))
      throw new HeddleError(
        resume
          ? msg`${option('keepLast')}: ${base}${step}${ending} is of another run; move it away`
          : msg`${option('keepLast')}: ${base}${step}${ending} is of another run; ${option('force', true)} replaces it, or move it away`,
        { kind: 'input' },
      );
  }
}
