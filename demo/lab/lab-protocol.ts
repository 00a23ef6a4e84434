// What the kernel lab's page and its worker say to each other: plain data (structured clone). lab-worker.ts measures, lab-session.ts sends requests.

import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import type { Conformance } from '../../src/bench/conformance.ts';
import type { Machine } from '../../src/bench/machine.ts';
import type { KernelSet } from '../../src/bench/measure-kernels.ts';
import type { Roofs } from '../../src/gpu/roofs.ts';

/** Libraries that may be timed beside. */
export const peerNames = { tfjs: 'TensorFlow.js', jax: 'jax-js' } as const;
export type PeerName = keyof typeof peerNames;

/** What to measure. */
export interface LabSettings {
  readonly set: KernelSet;
  /** Kernels whose name has this in it; all where empty. */
  readonly filter: string;
  /** Milliseconds that one measurement lasts, and how many there are. */
  readonly span: number;
  readonly rounds: number;
  readonly peers: readonly PeerName[];
}

/** All that was found; what is copied and downloaded, as JSON. */
export interface LabResults {
  readonly heddle: string;
  /** ISO time of the start. */
  readonly when: string;
  readonly settings: LabSettings;
  readonly machine: Machine;
  readonly roofs: Roofs;
  readonly kernels: readonly KernelResult[];
  readonly conformance: Conformance;
  /** The same kernels of all libraries that were asked for, heddle's among them; in microseconds. */
  readonly peers?: readonly TimedKernel[];
}

/** Page to worker. */
export type LabRequest = { readonly type: 'start'; readonly settings: LabSettings } | { readonly type: 'stop' };

/** Worker to page. */
export type LabReply =
  | { readonly type: 'machine'; readonly machine: Machine; readonly name: string }
  | { readonly type: 'progress'; readonly done: number; readonly of: number; readonly next: string }
  | { readonly type: 'roofs'; readonly roofs: Roofs }
  | { readonly type: 'kernel'; readonly kernel: KernelResult }
  | { readonly type: 'peer-kernel'; readonly kernel: TimedKernel }
  | { readonly type: 'done'; readonly results: LabResults }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly message: string };
