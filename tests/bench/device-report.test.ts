// Tests of src/bench/device-report.ts and device-table.ts: which reports of devices are rejected, and how they are
// shown.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeviceReports } from '../../bench/device-reports.ts';
import {
  type DeviceReport,
  deviceReportOf,
  type ReportedPeer,
  readDeviceReport,
} from '../../src/bench/device-report.ts';
import { devicePicture, deviceTables, reportIssue, reportLine } from '../../src/bench/device-table.ts';
import { gpuReport as report } from '../support/device-report.ts';
import { type ExpectedError, errorAbout, errorNaming } from '../support/expect-error.ts';

const withKernel = (change: Partial<DeviceReport['kernels'][number]>): unknown => ({
  ...report,
  kernels: [{ ...report.kernels[0], ...change }],
});

const peer: ReportedPeer = {
  library: 'transformers.js 4.3.1, wasm, 4 threads',
  batch: 8,
  sameRows: 8,
  tokensPerSecond: 90,
};
const withPeer = (change: Partial<ReportedPeer>): DeviceReport => ({
  ...report,
  beside: [{ ...peer, ...change }],
});

const noReport = {
  template: 'This is no report of a device; it must come from "Measure this device" of the kernel lab.',
};

describe('a report of a device', () => {
  it('is read as it was written', () => {
    for (const each of [report, withPeer({})]) expect(readDeviceReport(reportLine(each))).toEqual(each);
    expect(reportLine(report)).not.toContain('\n');
  });

  it.each<[string, unknown, ExpectedError]>([
    ['no report', { kind: 'bench' }, noReport],
    ['another version', { ...report, version: 2 }, noReport],
    ['a text instead of a time', { ...report, when: 'yesterday' }, { values: ['yesterday'] }],
    ['a text with markup', { ...report, adapter: '<img src=x>' }, { values: ['adapter'] }],
    ['a long text', { ...report, platform: 'x'.repeat(1000) }, { values: ['platform'] }],
    ['a table cell', { ...report, browser: 'a | b' }, { values: ['browser'] }],
    ['no roofs', { ...report, roofs: undefined }, { template: 'The report has no roofs.' }],
    [
      'an impossible bandwidth',
      { ...report, roofs: { ...report.roofs, bandwidth: 1e6 } },
      { values: ['The bandwidth', 0.1] },
    ],
    ['a peak of 0', { ...report, roofs: { ...report.roofs, peak: 0 } }, { values: ['The peak', '0', 0.1] }],
    [
      'roofs that differ by 90 %',
      { ...report, roofs: { ...report.roofs, spread: 0.9 } },
      { values: ['90 %'] },
    ],
    ['no kernels', { ...report, kernels: [] }, { values: ['kernels'] }],
    ['too many kernels', { ...report, kernels: Array(100).fill(report.kernels[0]) }, { values: ['kernels'] }],
    ['a share of the roof above 1', withKernel({ ms: 0.05, low: 0.05, high: 0.05 }), { values: ['477 %'] }],
    ['a time above its quartiles', withKernel({ ms: 5 }), { values: ['matmul 1024x1024x1024'] }],
    ['times that spread', withKernel({ low: 0.1, high: 2 }), { values: ['matmul 1024x1024x1024', '190 %'] }],
    ['a negative time', withKernel({ ms: -1 }), { values: ['matmul 1024x1024x1024: ms', '-1', 0.0001] }],
    [
      'FLOPs that are no whole number',
      withKernel({ flops: 0.5 }),
      { values: ['matmul 1024x1024x1024: flops', 0.5] },
    ],
    [
      'an MFU above 1',
      { ...report, step: { ...report.step, ms: 1, tokensPerSecond: 1e6 } },
      { values: ['522 %'] },
    ],
    [
      'a speed that contradicts the time',
      { ...report, step: { ...report.step, tokensPerSecond: 1 } },
      { values: [1, 32, 12] },
    ],
    [
      'decoding faster than the peak',
      { ...report, decoding: [{ ...report.decoding[0], tokensPerSecond: 1e8 }] },
      { values: [1] },
    ],
    [
      'a software adapter as a GPU',
      { ...report, adapter: 'google swiftshader' },
      { values: ['google swiftshader'] },
    ],
    [
      'more wrong kernels than checked',
      { ...report, conformance: { kernels: 1, wrong: ['a', 'b'] } },
      { template: 'More kernels are wrong than were checked.' },
    ],
    ['another library with no name', withPeer({ library: '' }), { values: ['library'] }],
    ['a library at a batch that heddle lacks', withPeer({ batch: 3, sameRows: 3 }), { values: [3] }],
    ['a library that is timed with other ids', withPeer({ sameRows: 7 }), { values: [7, 8] }],
    ['a library that is not timed with equal ids', withPeer({ tokensPerSecond: 0 }), { values: [0, 8] }],
    ['more equal rows than rows', withPeer({ sameRows: 9, tokensPerSecond: 0 }), { values: [9, 8] }],
  ])('is rejected: %s', (_what, json, expected) => {
    expect(() => deviceReportOf(JSON.parse(JSON.stringify(json)))).toThrow(errorAbout(expected));
  });

  it('is rejected if it is no JSON', () => {
    expect(() => readDeviceReport('{')).toThrow(
      errorAbout({ template: 'The report is not JSON; copy the whole line from the kernel lab.' }),
    );
  });
});

describe('tables of devices', () => {
  it('say plainly that no GPU has been measured until one is', () => {
    const cpu = { ...report, adapter: 'google swiftshader', software: true };
    for (const reports of [[], [cpu]])
      expect(deviceTables(reports)).toContain('No machine with a GPU has been measured yet');
    const both = deviceTables([cpu, report]);
    expect(both).toContain('1 report of machines with a GPU');
    expect(both.indexOf('nvidia ampere')).toBeLessThan(both.indexOf('swiftshader (software)'));
    expect(both).toContain('| matmul 1024x1024x1024 | 0.5 ms, 4,295 GFLOP/s, 47.7 % of the roof |');
    expect(both).toContain('MFU 43.5 %');
    const rows = deviceTables([withPeer({}), withPeer({ sameRows: 7, tokensPerSecond: 0 })]);
    expect(rows).toContain(`| ${peer.library}, batch 8 | 90 tokens/s, the same ids as heddle |`);
    expect(rows).toContain('| not timed: other ids than heddle in 1 of 8 rows |');
  });

  it('are made of the files in a folder; a wrong one is named', () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-devices-'));
    try {
      writeFileSync(join(folder, 'a.json'), reportLine(report));
      expect(readDeviceReports(folder)).toEqual([report]);
      writeFileSync(join(folder, 'b.json'), reportLine({ ...report, when: 'never' }));
      expect(() => readDeviceReports(folder)).toThrow(errorNaming('b.json', 'never'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of bench/results/devices are all plausible', () => {
    expect(() => readDeviceReports(resolve('bench/results/devices'))).not.toThrow();
  });
});

it('a report fits the address of a form, and its picture names the device', () => {
  const url = new URL(reportIssue(report));
  expect(url.href.length).toBeLessThan(8000);
  expect(url.searchParams.get('template')).toBe('device.yml');
  expect(readDeviceReport(url.searchParams.get('report') ?? '')).toEqual(report);
  const picture = devicePicture({ ...report, adapter: 'a & b "c"' });
  expect(picture).toContain('a &amp; b &quot;c&quot;');
  expect(picture).toContain('MFU');
});
