// The visitor's kernel in the editor of the lab, stored in localStorage, so that it survives a reload.

import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';

/** A visitor's kernel. */
export interface KernelDraft {
  readonly spec: KernelSpec;
  /** The variant, and the index of the dispatch that the kernel replaces; -1: all dispatches. */
  readonly variant: string;
  readonly pass: string;
  readonly source: string;
  /** Values that the visitor has entered for the launch, by field name. */
  readonly launch: Readonly<Record<string, string>>;
  /** Number of runs so far: the next one is named `yours N + 1`. */
  readonly attempts: number;
  /** Whether the editor shows it, not a kernel of heddle. */
  readonly shown: boolean;
}

const key = 'heddle-lab-kernel';

/** The kernel of an earlier visit; undefined if there is none, or if its op now has other sizes. */
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

/** Stores a kernel; it replaces the last one. */
export function writeKernelDraft(draft: KernelDraft): void {
  try {
    localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // localStorage is blocked or full: the kernel is lost with the page
  }
}
