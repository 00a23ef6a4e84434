// Writing a folder as a whole, so that no reader ever sees half of one.

import type { Files } from './files.ts';

/**
 * Writes files by name into a folder, under another name first and then renamed: what stood there before stays until the new one is
 * complete, and then is gone.
 */
export async function writeFolder(
  files: Files,
  folder: string,
  parts: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const beside = `${folder}.partial`;
  await files.remove(beside);
  try {
    for (const [name, bytes] of Object.entries(parts)) await files.write(`${beside}/${name}`, bytes);
    await files.rename(beside, folder);
  } catch (error) {
    await files.remove(beside).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}
