// The browser's private file system, or files in memory if the visitor blocks storage: then everything works until the
// tab closes.

import { type BrowserFiles, memoryFiles, openBrowserFiles } from '../../src/entries/host.ts';

/** Opens the files of the page. */
export const openFiles = (): Promise<BrowserFiles> => openBrowserFiles().catch(() => unkeptFiles());

/** Files in memory that report the facts of a folder. */
function unkeptFiles(): BrowserFiles {
  const files = memoryFiles();
  const begin = Date.now();
  return {
    ...files,
    async facts(folder) {
      let bytes = 0;
      for (const name of await files.list(folder))
        bytes += (await files.read(`${folder}/${name}`).catch(() => new Uint8Array())).length;
      return { bytes, time: begin };
    },
    async writeParts(path, parts) {
      const all: Uint8Array<ArrayBuffer>[] = [];
      for await (const part of parts) all.push(part.slice());
      await files.write(path, new Uint8Array(await new Blob(all).arrayBuffer()));
    },
  };
}
