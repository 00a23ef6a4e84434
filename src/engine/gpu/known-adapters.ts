// Facts of GPUs that kernels depend on, so that the kernels of each can be chosen, tested and compiled on another
// device. `HEDDLE_ADAPTER=tgl` makes heddle choose kernels as on an Intel Iris Xe.

import { HeddleError } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';

/** What Dawn or Chrome reports of a GPU. */
type AdapterFacts = Pick<
  DeviceTraits,
  'vendor' | 'f16' | 'minSubgroup' | 'minRequestedSubgroup' | 'subgroupSize' | 'maxWorkgroupBytes'
>;

const kib = 1024;
const intel = {
  vendor: 'intel',
  f16: true,
  minSubgroup: 8,
  minRequestedSubgroup: 8,
  subgroupSize: 16,
  maxWorkgroupBytes: 32 * kib,
};
const xe2 = { ...intel, minSubgroup: 16, minRequestedSubgroup: 16, subgroupSize: 32 };
const warps = {
  minSubgroup: 32,
  minRequestedSubgroup: 32,
  subgroupSize: 32,
  maxWorkgroupBytes: 32 * kib,
};

/** The GPUs by the names of Mesa's drivers. */
export const knownAdapters = {
  // Intel UHD Graphics 620 (Skylake): no subgroup-size-control
  skl: { ...intel, minRequestedSubgroup: 0 },
  // Intel Iris Xe
  tgl: { ...intel },
  // Intel Arc Graphics (Meteor Lake)
  mtl: { ...intel },
  // Intel Arc A770
  dg2: { ...intel },
  // Intel Arc 140V (Lunar Lake)
  lnl: { ...xe2 },
  // Intel Arc B580
  bmg: { ...xe2 },
  // NVIDIA RTX 3060
  nv172: { ...warps, vendor: 'nvidia', f16: false, maxWorkgroupBytes: 48 * kib },
  // Apple M1
  m1: { ...warps, vendor: 'apple', f16: true },
  // Adreno 740
  fd740: {
    ...warps,
    vendor: 'qualcomm',
    f16: true,
    minSubgroup: 64,
    minRequestedSubgroup: 64,
    subgroupSize: 64,
  },
  // Mali-G610
  'mali-a867': {
    ...warps,
    vendor: 'arm',
    f16: true,
    minSubgroup: 16,
    minRequestedSubgroup: 0,
    subgroupSize: 16,
  },
  // AMD RX 7900 XTX
  navi31: { ...warps, vendor: 'amd', f16: true },
  // Firefox names no vendor and has no subgroups.
  unnamed: {
    vendor: '',
    f16: false,
    minSubgroup: 0,
    minRequestedSubgroup: 0,
    subgroupSize: 0,
    maxWorkgroupBytes: 16 * kib,
  },
} as const satisfies Readonly<Record<string, AdapterFacts>>;
/** Name of a known adapter. */
export type KnownAdapter = keyof typeof knownAdapters;

/** Names of the known adapters. */
export const knownAdapterNames = Object.keys(knownAdapters) as readonly KnownAdapter[];

/**
 * The name in the variable HEDDLE_ADAPTER of the environment, or in a page in the global variable of this name;
 * undefined if it is not set. Throws a HeddleError for an unknown name.
 */
export function assumedAdapter(): KnownAdapter | undefined {
  const { process, Deno, HEDDLE_ADAPTER } = globalThis as {
    process?: { readonly env?: Readonly<Record<string, string | undefined>> };
    Deno?: { readonly permissions: { querySync(what: object): { readonly state: string } } };
    HEDDLE_ADAPTER?: string;
  };
  // Deno asks its user, or throws, if a program reads a variable without the permission.
  const what = { name: 'env', variable: 'HEDDLE_ADAPTER' };
  const mayRead = !Deno || Deno.permissions.querySync(what).state === 'granted';
  const name = HEDDLE_ADAPTER ?? (mayRead ? process?.env?.HEDDLE_ADAPTER : undefined);
  if (!name) return undefined;
  if (!Object.hasOwn(knownAdapters, name))
    throw new HeddleError(msg`there is no ${name}; the adapters are ${listed(knownAdapterNames)}`, {
      area: 'HEDDLE_ADAPTER',
      kind: 'not-found',
    });
  return name as KnownAdapter;
}

/**
 * The traits of a device for which kernels are chosen as for a known adapter. A device without a feature, or with
 * less of it, keeps what it has, so that all kernels run on it.
 */
export function traitsAs(name: KnownAdapter, own: DeviceTraits): DeviceTraits {
  const facts = knownAdapters[name];
  const minSubgroup = Math.min(facts.minSubgroup, own.minSubgroup);
  return {
    ...own,
    software: false,
    vendor: facts.vendor,
    f16: facts.f16 && own.f16,
    subgroups: minSubgroup > 0,
    minSubgroup,
    minRequestedSubgroup: facts.minRequestedSubgroup,
    // Sums by subgroups of another size than the device has would be wrong.
    subgroupSize: facts.subgroupSize > 0 ? own.subgroupSize : 0,
    maxWorkgroupBytes: Math.min(facts.maxWorkgroupBytes, own.maxWorkgroupBytes),
  };
}
