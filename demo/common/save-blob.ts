// Downloads a blob as a file.

import { el } from './dom.ts';

/** Downloads a blob as a file. */
export function download(data: Blob, name: string): void {
  const link = el('a', { href: URL.createObjectURL(data), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
