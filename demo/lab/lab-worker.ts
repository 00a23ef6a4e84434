// Worker of the kernel lab: checks and times kernels, so that the page stays responsive. editor-worker.ts
// handles the requests of the editor.

import { load } from 'virtual:heddle-peers';
import type { Contestant } from '../../bench/peers/contestant.ts';
import { create as createHeddle } from '../../bench/peers/heddle-contestant.ts';
import { type TimedKernel, timeKernels } from '../../bench/peers/kernel-times.ts';
import { kernelList } from '../../bench/peers/peer-kernels.ts';
import { version } from '../../package.json';
import { conformanceOf } from '../../src/bench/conformance.ts';
import type { DeviceReport } from '../../src/bench/device-report.ts';
import { describeMachine } from '../../src/bench/machine.ts';
import { measure } from '../../src/bench/measure-kernels.ts';
import { messageOf, reasonOf } from '../../src/core/errors.ts';
import { type Message, msg } from '../../src/core/message.ts';
import type { Device } from '../../src/engine/index.ts';
import { adapterName, openDevice } from '../../src/engine/index.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import { attempt, show } from './editor-worker.ts';
import {
  type CheckedConformance,
  type LabReply,
  type LabRequest,
  type LabResults,
  type LabSettings,
  peerNames,
} from './lab-protocol.ts';
import { lostReason } from './lost-reason.ts';
import { loadTransformers } from './transformers-library.ts';

const send = (reply: LabReply): void => self.postMessage(reply);
let running = new AbortController();

self.onmessage = ({ data }: MessageEvent<LabRequest>) => {
  if (data.type === 'stop') running.abort();
  else if (data.type === 'start' || data.type === 'check' || data.type === 'device') {
    running = new AbortController();
    void run(data, running.signal);
  } else void answer(data);
};

/** Answers a request of the editor. */
async function answer(request: Extract<LabRequest, { readonly id: number }>): Promise<void> {
  const { id, spec } = request;
  try {
    if (request.type === 'show') send({ type: 'shown', id, kernel: await show(spec) });
    else send({ type: 'tried', id, reply: await attempt(spec, request.own, request) });
  } catch (error) {
    send({ type: 'rejected', id, message: reasonOf(error) });
  }
}

async function run(
  request: Extract<LabRequest, { type: 'start' | 'check' | 'device' }>,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (request.type === 'check') send({ type: 'checked', report: await checkConformance(signal) });
    else if (request.type === 'device')
      send({ type: 'device', report: await reportDevice(request.transformersFrom, signal) });
    else send({ type: 'done', results: await measureOnDevice(request.settings, signal) });
  } catch (error) {
    if (signal.aborted) send({ type: 'stopped' });
    else send({ type: 'failed', message: failureOf(error) });
  }
}

/** The message of an error; one that heddle does not expect is named as such. */
const failureOf = (error: unknown): Message | string =>
  error instanceof HeddleError ? reasonOf(error) : msg`Something went wrong: ${messageOf(error)}`;

/** Checks conformance as `heddle verify --webgpu` does. Its training code is loaded on demand. */
async function checkConformance(signal: AbortSignal): Promise<CheckedConformance> {
  const when = new Date().toISOString();
  const { checkThisBrowser } = await import('../../src/bench/conformance-check.ts');
  const { report, adapter } = await checkThisBrowser(signal, (done, total, next) =>
    send({ type: 'progress', done, total, next }),
  );
  send({ type: 'machine', machine: report.machine, name: adapter, when });
  return { heddle: version, when, ...report };
}

/**
 * Measures the device for a report; small sizes on a software adapter. Its code is loaded on demand. `page`: address of
 * the page that has transformers.js, if the visitor agreed to load it.
 */
async function reportDevice(page: string | undefined, signal: AbortSignal): Promise<DeviceReport> {
  const { deviceMeasurements, measureDevice } = await import('../../src/bench/measure-device.ts');
  const onProgress = (done: number, total: number, next: string) =>
    send({ type: 'progress', done, total, next });
  return withDevice(signal, (device) => {
    const { full, quick } = deviceMeasurements;
    const what = device.traits.software ? quick : full;
    const load = page === undefined ? undefined : () => loadTransformers(page);
    return measureDevice(device, navigator.gpu, version, what, {
      signal,
      onProgress,
      loadTransformers: load,
    });
  });
}

/** Runs all measurements on a new device. */
const measureOnDevice = (settings: LabSettings, signal: AbortSignal): Promise<LabResults> =>
  withDevice(signal, (device) => measureAll(device, settings, signal));

/** Runs work on a new device; a lost device ends it immediately. */
async function withDevice<T>(signal: AbortSignal, work: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice(navigator.gpu);
  const lost = device.gpu.lost.then(({ message }) => {
    throw new HeddleError(
      msg`The GPU device was lost${lostReason(message)}. The driver or the GPU process of the browser stopped; press Measure to start again.`,
    );
  });
  lost.catch(() => {}); // the device is destroyed at the end
  try {
    return await Promise.race([work(device), lost]);
  } catch (error) {
    // Pending work may fail before `lost` is reported: prefer the message of `lost`.
    const pause = new Promise((resolve) => setTimeout(resolve, signal.aborted ? 0 : 500));
    throw await Promise.race([lost.catch((reason: unknown) => reason), pause.then(() => error)]);
  } finally {
    device.destroy();
  }
}

/** Measures the kernels, then the other libraries. */
async function measureAll(device: Device, settings: LabSettings, signal: AbortSignal): Promise<LabResults> {
  const when = new Date().toISOString();
  const machine = await describeMachine(navigator.gpu);
  const adapter = adapterName(device.adapter);
  send({ type: 'machine', machine, name: adapter, when });
  const peerKernels = settings.peers.length > 0 ? peerKernelNames(settings) : [];
  const { roofs, roofSpread, kernels } = await measure(
    device,
    { ...settings, roofs: true },
    {
      signal,
      onProgress: (done, total, next) =>
        send({ type: 'progress', done, total: total + peerKernels.length, next }),
      onRoofs: (found) => send({ type: 'roofs', roofs: found }),
      onKernel: (kernel) => send({ type: 'kernel', kernel }),
    },
  );
  if (!roofs || !roofSpread) throw new HeddleError(msg`the roofs were not measured`);
  const done = kernels.length + 2;
  const peers = peerKernels.length > 0 ? await comparePeers(settings, peerKernels, done, signal) : undefined;
  return {
    heddle: version,
    when,
    adapter,
    settings,
    machine,
    roofs,
    roofSpread,
    kernels,
    conformance: conformanceOf(machine, kernels),
    peers,
  };
}

/** Returns the kernels to compare: those of the filter; for the small set one of each kind. */
function peerKernelNames({ set, filter }: LabSettings): string[] {
  const seen = new Set<string>();
  return kernelList
    .filter(({ name }) => name.toLowerCase().includes(filter.trim().toLowerCase()))
    .filter(({ kind }) => set === 'all' || !(seen.has(kind) || !seen.add(kind)))
    .map(({ name }) => name);
}

/**
 * Times heddle and other libraries in turn, each on its own device; every result is compared with float64
 * first.
 */
async function comparePeers(
  { peers, span, rounds }: LabSettings,
  names: readonly string[],
  before: number,
  signal: AbortSignal,
): Promise<TimedKernel[]> {
  const total = before + names.length;
  send({
    type: 'progress',
    done: before,
    total,
    next: msg`loading ${peers.map((p) => peerNames[p]).join(' and ')}`,
  });
  const contestants: Contestant[] = [await createHeddle()];
  for (const name of peers) {
    const maker = load[name];
    if (!maker) throw new HeddleError(msg`${peerNames[name]} is not included in this build of the page.`);
    contestants.push(await (await maker()).create());
  }
  const errors: string[] = [];
  for (const { name, device } of contestants)
    device.addEventListener('uncapturederror', ({ error }) => errors.push(`${name}: ${error.message}`));
  const rows: TimedKernel[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    send({ type: 'progress', done: before + rows.length, total, next: msg`comparing: ${name}` });
    const [row] = await timeKernels(contestants, { rounds, targetMs: span, names: [name] }, () => {});
    if (errors.length > 0) throw new HeddleError(msg`A library reported a GPU error: ${errors[0]}`);
    if (!row) continue;
    rows.push(row);
    send({ type: 'peer-kernel', kernel: row });
  }
  contestants[0]?.device.destroy(); // the other libraries keep one device per thread
  return rows;
}
