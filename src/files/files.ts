// Files as the engine sees them: a folder somewhere (a disk, the browser's storage, a server on loopback), paths with slashes.

/** Reads and writes whole files. Every call rejects with a HeddleError that names the path. */
export interface Files {
  read(path: string): Promise<Uint8Array>;
  /** Writes a file, making folders as needed. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder. */
  list(folder: string): Promise<string[]>;
  /** Renames a file or folder; a folder that is in the way is replaced as a whole. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or folder with all in it; no error where it is absent. */
  remove(path: string): Promise<void>;
}

/** Where a folder that is being replaced stands until the new one is in its place. */
export const previousFolder = (folder: string): string => `${folder}.previous`;

/** The folder itself, or the one before it where a process was ended while it replaced the folder. */
export async function existingFolder(files: Files, folder: string): Promise<string> {
  const previous = previousFolder(folder);
  return !(await files.exists(folder)) && (await files.exists(previous)) ? previous : folder;
}

/** Text of a UTF-8 file. */
export const readText = async (files: Files, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path));

/** Writes text as UTF-8. */
export const writeText = (files: Files, path: string, text: string): Promise<void> =>
  files.write(path, new TextEncoder().encode(text));

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
