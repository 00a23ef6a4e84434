// What compilers made of kernels in earlier runs, so that a kernel is compiled once for a GPU. A kernel is a file.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledKernel } from './vendor-listings.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Key of a kernel in a cache. */
export const cacheKey = (
  code: string,
  entry: string,
  constants: Readonly<Record<string, number>> = {},
): string => hash(JSON.stringify([code, entry, constants]));

/** The kernels that were compiled for one GPU. */
export class CompiledCache {
  /** Folder of the files. */
  readonly folder: string;

  /** `versions`: what results depend on besides the kernel, such as the text of the parser. */
  static of(folder: string, gpu: string, versions: readonly string[]): CompiledCache {
    return new CompiledCache(join(folder, `${gpu}-${hash(versions.join('\n')).slice(0, 12)}`));
  }

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Whether a kernel was compiled. */
  has(key: string): boolean {
    return existsSync(this.#file(key));
  }

  /** What the compiler made of a kernel that was compiled; undefined if it printed nothing. */
  read(key: string): CompiledKernel | undefined {
    return JSON.parse(readFileSync(this.#file(key), 'utf8')) ?? undefined;
  }

  /** Keeps what the compiler made of a kernel; undefined if it printed nothing. */
  write(key: string, compiled: CompiledKernel | undefined): void {
    writeFileSync(this.#file(key), JSON.stringify(compiled ?? null));
  }

  #file(key: string): string {
    return join(this.folder, `${key}.json`);
  }
}
