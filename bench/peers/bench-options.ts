// Command-line options of `npm run bench:peers`, validated before anything is installed or run, and the rules
// for storing results.

import { parseArgs } from 'node:util';
import { check, HeddleError } from '../../src/core/errors.ts';
import { msg } from '../../src/core/message.ts';
import { checkRewriteNames } from '../../src/engine/graph/rewrites.ts';
import type { ContestantName } from './bench-session.ts';
import type { ContestantOptions } from './contestant.ts';
import { warmups } from './endurance.ts';
import { kernelList } from './peer-kernels.ts';
import { peerOptions } from './peer-options.ts';
import type { Rounds } from './step-times.ts';

export const usage = `npm run bench:peers -- [options]
  --host dawn,chrome              where to run: Node with Dawn, headless Chrome             (dawn)
  --contestants heddle,tfjs,jax   libraries to measure                                      (all)
  --check NAME,...|none           golden cases that each library must reproduce first       (odd-post,options-pre)
  --cases tiny,small,mid,...      presets whose training steps are timed: tiny, small, mid, keras, base
                                  (small, unless --kernels, --profile or --endure is given)
  --steps 7                       timed steps per library
  --warmups 2                     untimed steps before them
  --max-seconds 300               start no further round after this time, once three are done
  --kernels [--only TEXT]         time single kernels, with --only those whose name contains TEXT; in Chrome also onnxruntime-web (ort)
  --profile small                 time each GPU pass of heddle's step
  --endure small [--steps 2000]   two long runs of heddle; exit status 1 if step time or memory drifts, or losses differ
  --tune-ms 20000                 time budget of heddle's kernel auto-tuning per case (0: untuned kernels)
  --no-fuse NAME,...              graph rewrites (fusions) that heddle skips
  --set tfjs.optimizer=flat       option of a peer; bench/peers/peer-options.ts lists them
  --warm-cache                    let the driver use its shader cache on disk
  --no-write                      print only

Complete results are stored in bench/results: heddle and at least one peer, all kernels, without --no-fuse, --set and --warm-cache.`;

/** Names of the hosts. */
export const hostNames = ['dawn', 'chrome'] as const;
export type HostName = (typeof hostNames)[number];

/** Values of --contestants. onnxruntime-web is added automatically for kernels in Chrome. */
const contestantNames = ['heddle', 'tfjs', 'jax'] as const satisfies readonly ContestantName[];

/** Default number of steps of `--endure`, and the minimum of a stored result. */
const enduranceSteps = 2000;

/** Parsed options. */
export interface Options {
  readonly hosts: readonly HostName[];
  readonly contestants: readonly ContestantName[];
  /** Names of golden cases: to reproduce, to time, to profile, to run for many steps. */
  readonly check: readonly string[];
  readonly cases: readonly string[];
  readonly profile: readonly string[];
  readonly endure: readonly string[];
  readonly rounds: Rounds;
  readonly enduranceSteps: number;
  readonly kernels: boolean;
  readonly only: string | undefined;
  readonly tuneMs: number;
  readonly noFuse: readonly string[];
  readonly set: Partial<ContestantOptions>;
  readonly warmCache: boolean;
  readonly write: boolean;
}

/**
 * Parses the command line; `cases`: names of all golden cases. Throws a HeddleError that names the invalid
 * option, its value and the allowed values.
 */
export function readOptions(args: readonly string[], cases: readonly string[]): Options {
  return checked(parse(args), cases);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: 'string', default: 'dawn' },
        contestants: { type: 'string', default: contestantNames.join(',') },
        check: { type: 'string', default: 'odd-post,options-pre' },
        cases: { type: 'string' },
        steps: { type: 'string' },
        warmups: { type: 'string', default: '2' },
        'max-seconds': { type: 'string', default: '300' },
        kernels: { type: 'boolean', default: false },
        only: { type: 'string' },
        profile: { type: 'string', default: '' },
        endure: { type: 'string', default: '' },
        'tune-ms': { type: 'string', default: '20000' },
        'no-fuse': { type: 'string', default: '' },
        set: { type: 'string', multiple: true, default: [] },
        'warm-cache': { type: 'boolean', default: false },
        'no-write': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new HeddleError(msg`${(error as Error).message}; --help lists the options.`);
  }
}

const list = (text: string): string[] => [
  ...new Set(text.split(',').filter((word) => word !== '' && word !== 'none')),
];

function checked(values: ReturnType<typeof parse>, cases: readonly string[]): Options {
  const names = <T extends string>(option: keyof typeof values, allowed: readonly T[]): T[] => {
    const given = list(values[option] as string);
    for (const name of given)
      check(allowed.includes(name as T), msg`it must be one or more of ${allowed.join(',')}.`, {
        area: `--${option} ${name}`,
      });
    return given as T[];
  };
  const nonEmpty = <T extends string>(option: keyof typeof values, allowed: readonly T[]): T[] => {
    const given = names(option, allowed);
    check(given.length > 0, msg`it is empty; it must be one or more of ${allowed.join(',')}.`, {
      area: `--${option}`,
    });
    return given;
  };
  const whole = (option: keyof typeof values, min: number, fallback?: number): number => {
    const text = values[option] as string | undefined;
    if (text === undefined && fallback !== undefined) return fallback;
    const n = Number(text);
    check(
      /^\d+$/.test(`${text}`) && Number.isSafeInteger(n) && n >= min,
      msg`it must be a whole number of at least ${min}.`,
      { area: `--${option} ${text}` },
    );
    return n;
  };
  const endure = names('endure', cases);
  const noFuse = list(values['no-fuse']);
  checkRewriteNames(noFuse);
  const { only } = values;
  const otherWork = values.kernels || values.profile !== '' || values.endure !== '';
  check(
    only === undefined || (values.kernels && kernelList.some(({ name }) => name.includes(only))),
    msg`it needs --kernels, and must be part of one of the names ${kernelList.map((k) => k.name).join(', ')}.`,
    { area: `--only ${only}` },
  );
  return {
    hosts: nonEmpty('host', hostNames),
    contestants: nonEmpty('contestants', contestantNames),
    check: names('check', ['none', ...cases]),
    cases: values.cases === undefined ? (otherWork ? [] : ['small']) : names('cases', ['none', ...cases]),
    profile: names('profile', cases),
    endure,
    rounds: {
      steps: whole('steps', 1, 7),
      warmups: whole('warmups', 1),
      maxSeconds: whole('max-seconds', 0),
    },
    enduranceSteps: whole('steps', endure.length > 0 ? 2 * warmups : 1, enduranceSteps),
    kernels: values.kernels,
    only,
    tuneMs: whole('tune-ms', 0),
    noFuse,
    set: settings(values.set),
    warmCache: values['warm-cache'],
    write: !values['no-write'],
  };
}

/** Parses `--set tfjs.optimizer=flat` to { tfjs: { optimizer: 'flat' } }. */
function settings(given: readonly string[]): Partial<ContestantOptions> {
  const options: Record<string, Record<string, string | number>> = {};
  for (const setting of given) {
    const area = `--set ${setting}`;
    const [, peer = '', key = '', value = ''] = /^(\w+)\.(\w+)=(.*)$/.exec(setting) ?? [];
    const choices = Object.entries(peerOptions).find(([name]) => name === peer)?.[1];
    check(choices, msg`it must be PEER.KEY=VALUE; PEER is one of ${Object.keys(peerOptions).join(', ')}.`, {
      area,
    });
    const known = Object.entries(choices).find(([name]) => name === key)?.[1];
    check(known, msg`the options of ${peer} are ${Object.keys(choices).join(', ')}.`, { area });
    if (typeof known === 'number')
      check(/^[1-9]\d*$/.test(value), 'it must be a whole number above 0.', { area });
    else check(known.includes(value), msg`it must be one of ${known.join(', ')}.`, { area });
    options[peer] = { ...options[peer], [key]: typeof known === 'number' ? Number(value) : value };
  }
  return options as Partial<ContestantOptions>;
}

/**
 * Why a result is only printed, or undefined if it is stored. An incomplete result must not replace a
 * complete one.
 */
export function reasonNotStored(
  o: Options,
  what: 'steps' | 'kernels' | 'profile' | 'endurance',
): string | undefined {
  const comparison = what === 'steps' || what === 'kernels';
  const reasons: [boolean, string][] = [
    [!o.write, '--no-write'],
    [o.noFuse.length > 0, '--no-fuse skips rewrites'],
    [Object.keys(o.set).length > 0, '--set changes a peer'],
    [o.warmCache, 'with --warm-cache the first step finds compiled shaders'],
    [what === 'kernels' && o.only !== undefined, '--only skips kernels'],
    [
      comparison && !(o.contestants.includes('heddle') && o.contestants.length > 1),
      'it does not compare heddle with a peer',
    ],
    [what === 'steps' && o.rounds.steps < 3, 'it has fewer than 3 rounds'],
    [what === 'endurance' && o.enduranceSteps < enduranceSteps, `it has fewer than ${enduranceSteps} steps`],
  ];
  return reasons.find(([applies]) => applies)?.[1];
}
