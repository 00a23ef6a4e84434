// Parses RADV's output for a shader (RADV_DEBUG=shaders,shaderstats): its statistics, and the instruction
// counts of its heaviest loop. The heaviest loop is the one with the most matrix instructions; if there are
// none, the most multiply-adds; if there are none, the most bytes loaded or stored.

import type { Family } from './null-driver.ts';

/**
 * Instruction counts of one iteration of a loop. Loops inside it that the compiler did not unroll count
 * `INNER_TRIPS` times.
 */
export interface InstructionMix {
  /**
   * Multiply-adds: v_fma, v_fmac, v_mad, v_pk_fma, v_dot2; a v_dual instruction with two of them counts
   * twice.
   */
  readonly fma: number;
  /** Other vector ALU instructions. */
  readonly valu: number;
  /** Matrix instructions: v_wmma, v_mfma. */
  readonly matrix: number;
  /** Accesses to workgroup memory. */
  readonly lds: number;
  /** Buffer loads and stores, and their bytes per thread. */
  readonly loads: number;
  readonly stores: number;
  readonly loadBytes: number;
  readonly storeBytes: number;
  /** Comparisons that clamp an index: Dawn's bounds checks (v_min_u32, s_min_u32). */
  readonly boundsChecks: number;
  /** Integer divisions (a float reciprocal that becomes an integer). */
  readonly divisions: number;
  /** Loop counters that Tint adds to loops whose end it cannot prove. */
  readonly loopCounters: number;
  readonly barriers: number;
  readonly scratch: number;
  /** Scalar instructions and everything else. */
  readonly other: number;
}

/** One compiled kernel. */
export interface KernelIsa {
  /** Vector registers per thread, and waves that fit on a SIMD. */
  readonly registers: number;
  readonly waves: number;
  /** Registers that were spilled, and bytes of scratch memory per thread. */
  readonly spills: number;
  readonly scratch: number;
  /** Workgroup memory in bytes. */
  readonly workgroupBytes: number;
  /** The heaviest loop; the whole kernel if it has no loop. */
  readonly loop: InstructionMix;
  readonly looped: boolean;
  /**
   * Multiply-adds per vector ALU instruction of the loop, 0 to 1: the share of the arithmetic peak that the
   * loop can reach. With matrix instructions: their share of the vector ALU time.
   */
  readonly share: number;
  /** Assembly of that loop. */
  readonly assembly: readonly string[];
}

/** A compiled kernel of one family of GPUs; `from`: the library that it is of. */
export interface KernelRow extends Omit<KernelIsa, 'assembly'> {
  readonly family: Family;
  readonly from: string;
  readonly name: string;
}

const INNER_TRIPS = 8;
/** Cycles of a matrix instruction: v_wmma_f32_16x16x16_f16 with 32 threads on RDNA 3. */
const MATRIX_CYCLES = 32;
const FMA = /^v_(fma|fmac|mac|mad_f|pk_fma|fmamk|fmaak|dot2)/;

interface Block {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Parses the text that RADV prints for one compute shader: disassembly, then statistics. */
export function parseKernel(text: string): KernelIsa | undefined {
  const [, after = ''] = text.split(/^disasm:$/m);
  if (!after) return undefined;
  const [assembly = '', statistics = ''] = after.split('*** SHADER STATS ***');
  const statistic = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(statistics)?.[1] ?? 0);
  const blocks = blocksOf(assembly);
  const loops = loopsOf(blocks);
  const mixes = loops.map((loop) => ({ loop, mix: mixOf(blocks, loop, loops) }));
  const weight = ({ fma, matrix, loadBytes, storeBytes }: InstructionMix) =>
    1e6 * (fma + 1e4 * matrix) + loadBytes + storeBytes;
  const whole: Loop = { first: 0, last: blocks.length - 1 };
  const heaviest = mixes.reduce<(typeof mixes)[number] | undefined>(
    (best, next) => (best && weight(best.mix) >= weight(next.mix) ? best : next),
    undefined,
  ) ?? { loop: whole, mix: mixOf(blocks, whole, loops) };
  const { fma, valu, matrix } = heaviest.mix;
  const work = matrix > 0 ? MATRIX_CYCLES * matrix : fma;
  const all = MATRIX_CYCLES * matrix + fma + valu;
  return {
    registers: statistic('VGPRs'),
    waves: statistic('Subgroups per SIMD'),
    spills: statistic('Spilled VGPRs') + statistic('Spilled SGPRs'),
    scratch: statistic('Scratch size'),
    workgroupBytes: statistic('LDS size'),
    loop: heaviest.mix,
    looped: loops.length > 0,
    share: all > 0 ? work / all : 0,
    assembly: blocks
      .slice(heaviest.loop.first, heaviest.loop.last + 1)
      .flatMap(({ name, lines }) => [`${name}:`, ...lines.map((line) => `    ${line}`)]),
  };
}

function blocksOf(assembly: string): Block[] {
  const blocks: { name: string; lines: string[] }[] = [];
  for (const line of assembly.split('\n')) {
    const label = /^(BB\d+):/.exec(line);
    if (label) blocks.push({ name: label[1] ?? '', lines: [] });
    else if (/^\s+[a-z]/.test(line)) blocks.at(-1)?.lines.push((line.split(';')[0] ?? '').trim());
  }
  return blocks;
}

/** Blocks of a loop: from the target of a backward branch to the branch. */
interface Loop {
  readonly first: number;
  readonly last: number;
}

function loopsOf(blocks: readonly Block[]): Loop[] {
  const loops: Loop[] = [];
  for (const [last, { lines }] of blocks.entries())
    for (const line of lines) {
      const target = /^s_c?branch\S*\s+(BB\d+)/.exec(line)?.[1];
      const first = blocks.findIndex(({ name }) => name === target);
      if (first >= 0 && first <= last && !loops.some((l) => l.first === first && l.last === last))
        loops.push({ first, last });
    }
  // RADV clears workgroup memory in a separate loop: stores of zeros only.
  return loops.filter(({ first, last }) =>
    blocks
      .slice(first, last + 1)
      .some(({ lines }) => lines.some((l) => /^(global|buffer|flat)_|^ds_load|^v_f/.test(l))),
  );
}

function mixOf(blocks: readonly Block[], { first, last }: Loop, loops: readonly Loop[]): InstructionMix {
  const mix = {
    fma: 0,
    valu: 0,
    matrix: 0,
    lds: 0,
    loads: 0,
    stores: 0,
    loadBytes: 0,
    storeBytes: 0,
    boundsChecks: 0,
    divisions: 0,
    loopCounters: 0,
    barriers: 0,
    scratch: 0,
    other: 0,
  };
  const before = blocks.slice(0, first).flatMap(({ lines }) => lines);
  for (let i = first; i <= last; i++) {
    const depth = loops.filter((l) => l.first <= i && i <= l.last && l.last - l.first < last - first).length;
    const times = INNER_TRIPS ** depth;
    for (const line of blocks[i]?.lines ?? []) {
      const op = line.split(/\s/, 1)[0] ?? '';
      const bytes = accessBytes(op);
      if (/^v_(wmma|mfma|swmmac)/.test(op)) mix.matrix += times;
      else if (op.startsWith('v_dual_')) {
        const both = line.match(/v_dual_(fmac|fmaak|fmamk|mac)/g)?.length ?? 0;
        if (both > 0) mix.fma += both * times;
        else mix.valu += times;
      } else if (FMA.test(op)) mix.fma += times;
      else if (op.startsWith('v_')) mix.valu += times;
      else if (op.startsWith('ds_')) mix.lds += times;
      else if (op.startsWith('scratch_')) mix.scratch += times;
      else if (/^(global|buffer|flat)_/.test(op)) {
        const kind = op.includes('load') ? 'load' : 'store';
        mix[`${kind}s`] += times;
        mix[`${kind}Bytes`] += bytes * times;
      } else if (op.startsWith('s_barrier')) mix.barriers += times;
      else if (op !== 's_delay_alu' && op !== 's_nop') mix.other += times;
      if (/^[vs]_min_u32/.test(op)) mix.boundsChecks += times;
      if (/^v_rcp_iflag_f32/.test(op)) mix.divisions += times;
      if (isLoopCounter(line, before)) mix.loopCounters += times;
    }
  }
  return mix;
}

/** Bytes per thread of `buffer_load_b128`, `global_store_dwordx2`, `buffer_load_u16`. */
function accessBytes(op: string): number {
  const bits = /_(?:b|u|i|d16_b|d16_hi_b)(\d+)$/.exec(op)?.[1];
  if (bits) return Number(bits) / 8;
  const words = /_dword(?:x(\d))?$/.exec(op);
  if (words) return 4 * Number(words[1] ?? 1);
  return /_(u|s)short|_short/.test(op) ? 2 : /byte/.test(op) ? 1 : 4;
}

/**
 * Returns whether `line` decrements a scalar register that was set to -1 before the loop: the counter that
 * Tint adds to a loop.
 */
function isLoopCounter(line: string, before: readonly string[]): boolean {
  const register = /^s_(?:add_[ui]32 s(\d+), s\1, -1|sub_[ui]32 s(\d+), s\2, 1)$/
    .exec(line)
    ?.slice(1)
    .find(Boolean);
  if (!register) return false;
  return before.some((l) => {
    const range = /^s_mov_b(?:32|64) s\[?(\d+)(?::(\d+)\])?, -1$/.exec(l);
    return range && Number(register) >= Number(range[1]) && Number(register) <= Number(range[2] ?? range[1]);
  });
}
