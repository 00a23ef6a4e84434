// The visitor's own kernel in the editor of the lab, kept in localStorage: it survives a reload.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';

/** A visitor's kernel. */
export interface KernelDraft {
  readonly spec: KernelSpec;
  /** The variant and the number of the dispatch that it replaces; -1: all dispatches. */
  readonly variant: string;
  readonly pass: string;
  readonly source: string;
  /** Fields of the launch that the visitor has filled in, by their names. */
  readonly launch: Readonly<Record<string, string>>;
  /** Number of kernels that were run: the next one is `yours N + 1`. */
  readonly attempts: number;
  /** Whether the editor shows it, instead of a kernel of heddle. */
  readonly shown: boolean;
}

const key = 'heddle-lab-kernel';

/** The kernel of an earlier visit; undefined if there is none, or its op has other sizes now. */
export function readKernelDraft(): KernelDraft | undefined {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? 'null') as KernelDraft | null;
    if (!draft) return undefined;
    kernelOf(draft.spec);
    return draft;
  } catch {
    return undefined; // localStorage is blocked, or another version of the page wrote it
  }
}

/** Stores a kernel in place of the last one. */
export function writeKernelDraft(draft: KernelDraft): void {
  try {
    localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // localStorage is blocked or full: the kernel lasts as long as the page
  }
}
