// Message protocol of the kernel lab and its worker: structured-cloneable data.

import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { BenchRun } from '../../src/bench/bench-file.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import type { Conformance } from '../../src/bench/conformance.ts';
import type { ConformanceReport } from '../../src/bench/conformance-check.ts';
import type { DeviceReport } from '../../src/bench/device-report.ts';
import type { KernelSpec } from '../../src/bench/kernel-case.ts';
import type { Machine } from '../../src/bench/machine.ts';
import type { KernelSet } from '../../src/bench/measure-kernels.ts';
import type { OwnKernel, ShownKernel, TriedKernel } from '../../src/bench/own-kernel.ts';
import type { Message } from '../../src/core/message.ts';
import type { Roofs } from '../../src/engine/index.ts';

/** Libraries to compare with. */
export const peerNames = { tfjs: 'TensorFlow.js', jax: 'jax-js' } as const;
export type PeerName = keyof typeof peerNames;

/** Settings of a measurement. */
export interface LabSettings {
  readonly set: KernelSet;
  /** Measure only kernels whose name contains this text; empty: all. */
  readonly filter: string;
  /** Kernels with the visitor's sizes, instead of a set. */
  readonly specs?: readonly KernelSpec[];
  /** Milliseconds per round, and number of rounds. */
  readonly span: number;
  readonly rounds: number;
  readonly peers: readonly PeerName[];
}

/** Results of a measurement: the JSON that can be copied, downloaded and opened again. */
export interface LabResults extends BenchRun {
  readonly settings: LabSettings;
  readonly machine: Machine;
  readonly roofs: Roofs;
  readonly conformance?: Conformance;
  /** Kernel times of the libraries to compare with and of heddle, in microseconds. */
  readonly peers?: readonly TimedKernel[];
}

/** Result of a conformance check: what `heddle verify --webgpu --json` writes. */
export interface CheckedConformance extends ConformanceReport {
  readonly heddle: string;
  /** Start time, ISO 8601. */
  readonly when: string;
}

/** Result of a visitor's kernel. */
export interface TriedReply {
  readonly tried: TriedKernel;
  readonly roofs: Roofs;
  readonly machine: Machine;
}

/**
 * Messages from the page to the worker: measure kernels, check conformance, measure the device, stop any of them;
 * requests of the editor.
 */
export type LabRequest =
  | { readonly type: 'start'; readonly settings: LabSettings }
  | { readonly type: 'check' }
  /** `transformersFrom`: address of the page, beside which transformers.js is; undefined: it is not loaded. */
  | { readonly type: 'device'; readonly transformersFrom?: string }
  | { readonly type: 'stop' }
  | { readonly type: 'show'; readonly id: number; readonly spec: KernelSpec }
  | {
      readonly type: 'try';
      readonly id: number;
      readonly spec: KernelSpec;
      readonly own: OwnKernel;
      readonly span: number;
      readonly rounds: number;
    };

/** Messages from the worker to the page. */
export type LabReply =
  | { readonly type: 'machine'; readonly machine: Machine; readonly name: string; readonly when: string }
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total: number;
      readonly next: Message | string;
    }
  | { readonly type: 'roofs'; readonly roofs: Roofs }
  | { readonly type: 'kernel'; readonly kernel: KernelResult }
  | { readonly type: 'peer-kernel'; readonly kernel: TimedKernel }
  | { readonly type: 'done'; readonly results: LabResults }
  | { readonly type: 'checked'; readonly report: CheckedConformance }
  | { readonly type: 'device'; readonly report: DeviceReport }
  | { readonly type: 'shown'; readonly id: number; readonly kernel: ShownKernel }
  | { readonly type: 'tried'; readonly id: number; readonly reply: TriedReply }
  /** The request `id` failed. */
  | { readonly type: 'rejected'; readonly id: number; readonly message: Message | string }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly message: Message | string };
