// How reports of devices are shown and sent: rows of a table, Markdown, a picture, and a prefilled issue on GitHub.

import { formatNumber, formatPercent } from '../core/format-numbers.ts';
import { listed, type Message, msg, percentage, renderMessage, significant } from '../core/message.ts';
import { type DeviceReport, type ReportedPeer, reportedMfu, reportedShare } from './device-report.ts';
import { maxSpread } from './spread.ts';

const time = (ms: number): Message => msg`${significant(ms)} ms`;

/** What a report says, as names and values: for a table of one device. */
export function deviceFacts(report: DeviceReport): [name: Message | string, value: Message][] {
  const { conformance, roofs, kernels, step, decoding, beside = [] } = report;
  const { kernels: checked, wrong } = conformance;
  const [peak, spread] = [significant(roofs.peak), percentage(roofs.spread)];
  return [
    ['Conformance', wrong.length === 0 ? msg`${checked} kernels, all correct` : msg`wrong: ${listed(wrong)}`],
    ['Bandwidth', msg`${significant(roofs.bandwidth)} GB/s`],
    [
      'Peak',
      roofs.spread > maxSpread
        ? msg`${peak} GFLOP/s (spread ${spread}, the machine was busy)`
        : msg`${peak} GFLOP/s (spread ${spread})`,
    ],
    ...kernels.map((kernel): [string, Message] => [
      kernel.name,
      msg`${time(kernel.ms)}, ${significant(kernel.flops / kernel.ms / 1e6)} GFLOP/s, ${percentage(reportedShare(kernel, roofs))} of the roof`,
    ]),
    [
      msg`Training step of ${step.preset}, batch ${step.batch}`,
      msg`${time(step.ms)}, ${significant(step.tokensPerSecond)} tokens/s, MFU ${percentage(reportedMfu(report))}, ${step.dispatches} dispatches`,
    ],
    ...decoding.map(({ preset, batch, tokensPerSecond }): [Message, Message] => [
      msg`Decoding with ${preset}, batch ${batch}`,
      msg`${significant(tokensPerSecond)} tokens/s`,
    ]),
    ...beside.map((peer): [Message, Message] => [msg`${peer.library}, batch ${peer.batch}`, peerSpeed(peer)]),
  ];
}

const peerSpeed = ({ batch, sameRows, tokensPerSecond }: ReportedPeer): Message =>
  sameRows === batch
    ? msg`${significant(tokensPerSecond)} tokens/s, the same ids as heddle`
    : msg`not timed: other ids than heddle in ${batch - sameRows} of ${batch} rows`;

/** The device of a report in one line. */
export const deviceTitle = ({ adapter, software, browser, platform, when, heddle }: DeviceReport): string =>
  `${adapter}${software ? ' (software)' : ''}; ${browser}; ${platform}; heddle ${heddle}; ${when.slice(0, 10)}`;

/**
 * Tables of devices in Markdown, one each, GPUs first. States plainly that no machine with a GPU has been measured
 * until a report of one is there.
 */
export function deviceTables(reports: readonly DeviceReport[]): string {
  const gpus = reports.filter(({ software }) => !software);
  const cpus = reports.filter(({ software }) => software);
  const tables = [...gpus, ...cpus].map((report) =>
    [
      `${deviceTitle(report)}:`,
      '',
      '| measurement | result |',
      '| --- | --- |',
      ...deviceFacts(report).map(([name, value]) => `| ${renderMessage(name)} | ${renderMessage(value)} |`),
    ].join('\n'),
  );
  const count = gpus.length === 1 ? '1 report' : `${gpus.length} reports`;
  const state =
    gpus.length === 0
      ? '**No machine with a GPU has been measured yet.** The kernel lab measures yours: _Measure this device_.'
      : `${count} of machines with a GPU, sent by visitors of the kernel lab.`;
  return [state, ...tables].join('\n\n');
}

/** The report as one line of JSON. */
export const reportLine = (report: DeviceReport): string => JSON.stringify(report);

/** The address of an issue form of GitHub with the report in it; nothing is sent before the visitor submits it. */
export function reportIssue(report: DeviceReport): string {
  const fields = { template: 'device.yml', title: `Device: ${report.adapter}`, report: reportLine(report) };
  return `https://github.com/heddle-webgpu/heddle/issues/new?${new URLSearchParams(fields)}`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** The report as a picture in SVG: shares of the roof as bars, and the speeds. */
export function devicePicture(report: DeviceReport): string {
  const { kernels, roofs, decoding, beside = [] } = report;
  const bars: [name: string, share: number][] = [
    ...kernels.map((kernel): [string, number] => [kernel.name, reportedShare(kernel, roofs)]),
    [`training step of ${report.step.preset} (MFU)`, reportedMfu(report)],
  ];
  const text = (x: number, y: number, content: string, look = '') =>
    `<text x="${x}" y="${y}" ${look}>${escaped(content)}</text>`;
  const soft = 'fill="#6b7280" font-size="13"';
  const rows = bars.flatMap(([name, share], i) => {
    const y = 96 + 44 * i;
    const width = Math.round(592 * Math.min(1, share));
    return [
      text(24, y, name, 'font-size="14"'),
      text(616, y, formatPercent(share), 'font-size="14" text-anchor="end"'),
      `<rect x="24" y="${y + 7}" width="592" height="10" rx="5" fill="#e5e7eb"/>`,
      `<rect x="24" y="${y + 7}" width="${width}" height="10" rx="5" fill="#2563eb"/>`,
    ];
  });
  const end = 96 + 44 * bars.length;
  const speeds = decoding.map(
    ({ batch, tokensPerSecond }) => `batch ${batch}: ${formatNumber(tokensPerSecond)} tokens/s`,
  );
  const peers = beside.map(
    (peer) => `${peer.library}, batch ${peer.batch}: ${renderMessage(peerSpeed(peer))}`,
  );
  const height = end + 52 + 22 * peers.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 ${height}" width="640" height="${height}" role="img" font-family="system-ui, sans-serif" fill="#111827">`,
    `<title>${escaped(deviceTitle(report))}</title>`,
    `<rect width="640" height="${height}" fill="#ffffff"/>`,
    text(24, 34, shortened(report.adapter, 58), 'font-size="18" font-weight="600"'),
    text(24, 56, shortened(deviceTitle(report), 84), soft),
    text(
      24,
      74,
      `${formatNumber(roofs.bandwidth)} GB/s, ${formatNumber(roofs.peak)} GFLOP/s; bars: share of the roof`,
      soft,
    ),
    ...rows,
    text(24, end + 8, `Decoding with ${decoding[0]?.preset ?? ''}: ${speeds.join(', ')}`, 'font-size="14"'),
    ...peers.map((peer, i) => text(24, end + 30 + 22 * i, shortened(peer, 84), 'font-size="13"')),
    text(24, height - 20, 'heddle, kernel lab', soft),
    '</svg>',
  ].join('\n');
}

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
