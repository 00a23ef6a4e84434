// Parses what the compilers of Mesa's drivers print for one kernel: the statistics and the instructions.

import { type HotLoop, type InstructionKind, Listing } from './listing.ts';

/** What a compiler made of a kernel. Absent numbers are not printed by the driver. */
export interface CompiledKernel extends HotLoop {
  /** Threads that execute an instruction together. */
  readonly simd?: number;
  /** Instructions as the driver counts them, and as the parser does. */
  readonly instructions: number;
  readonly parsed: number;
  /** Registers of a thread: NVIDIA, AMD 32 bits; Apple 16 bits; Adreno vec4. */
  readonly registers?: number;
  /** Registers written to and read from scratch memory. */
  readonly spills: number;
  readonly fills?: number;
  /** Scratch memory in bytes per thread. */
  readonly scratch?: number;
  /** Threads that fit on a core with these registers; AMD: waves per SIMD; Mali: 2 = all, 1 = half. */
  readonly threads?: number;
  /** The driver's static estimate. */
  readonly cycles?: number;
}

/** Parses the text of a kernel; undefined if there is none. */
export type Parser = (text: string) => CompiledKernel | undefined;

/** The last number that a pattern finds in a text. */
function numberIn(pattern: RegExp, text: string): number | undefined {
  const found = [...text.matchAll(new RegExp(pattern.source, 'gm'))].at(-1)?.[1];
  return found === undefined ? undefined : Number(found);
}

type Statistics = Omit<CompiledKernel, keyof HotLoop | 'parsed'> & { readonly parsed?: number };

const compiled = (listing: Listing, statistics: Statistics): CompiledKernel => ({
  parsed: listing.instructions.length,
  ...statistics,
  ...listing.hotLoop(),
});

const intelControl = /^(nop|wait|if$|else$|endif$|while$|break$|cont$|jmpi$|halt$|do$|brd$|goto$|join$)/;

const intel: Parser = (text) => {
  const parts = text.split(/^SIMD(\d+) shader: /m);
  if (parts.length < 3) return undefined;
  const simd = Number(parts.at(-2));
  const [head = '', ...lines] = (parts.at(-1) ?? '').split('\n');
  const listing = new Listing({ structured: true });
  for (const raw of lines) {
    const label = /^(LABEL\d+):/.exec(raw)?.[1];
    if (label) {
      listing.label(label);
      continue;
    }
    const last = listing.instructions.at(-1);
    if (raw.includes('MsgDesc') && last) {
      // The second line of a send. Scratch memory is surface 253, or since Gfx12.5 has an address of type ss.
      last.spill = /bti 253\b|\bss\b/.test(raw);
      last.text += ` ${raw.trim()}`;
      continue;
    }
    const line = raw.replace(/^\([^)]*\)\s*/, '');
    const found = /^([a-z][a-z0-9_.]*(?: [a-z]+)?)\((\d+)\)/.exec(line);
    const op = found?.[1]?.split('.')[0] ?? '';
    if (!found || op.startsWith('sync')) continue; // the driver does not count sync
    let kind: InstructionKind = 'alu';
    if (op.startsWith('send')) kind = 'mem';
    else if (op.startsWith('dpas')) kind = 'matrix';
    else if (intelControl.test(op)) kind = 'other';
    else if ((op === 'mad' || op === 'mac') && />H?F\b/.test(line)) kind = 'fma';
    const target = op === 'while' ? /JIP:\s+(LABEL\d+)/.exec(line)?.[1] : undefined;
    listing.add({ kind, text: line, weight: Math.min(1, Number(found[2]) / simd), target });
  }
  const [, spills = 0, fills = 0] = /(\d+):(\d+) spills:fills/.exec(head) ?? [];
  return compiled(listing, {
    simd,
    instructions: Number(/^\d+/.exec(head)?.[0]),
    cycles: numberIn(/(\d+) cycles/, head),
    spills: Number(spills),
    fills: Number(fills),
    scratch: numberIn(/scratch: (\d+)/, head),
  });
};

const nvidiaMemory = /^(ld|st|atom|ald|ast|ipa|tex|tld|suld|sust|suatom|red)/;
const nvidiaControl =
  /^(bra|exit|bsync|bssy|bclear|break|bmov|nop|depbar|warpsync|bar|membar|cctl|kill|phi_srcs|phi_dsts|undef|src_bar|pin|unpin|annotate|rem|ccall|brk|cont|pbk|pcnt|sync|ssy|par_copy|copy|swap)$/;

/** Registers, and threads of a multiprocessor of Ampere, of which a thread can take a part. */
const nvidiaFile = { registers: 65536, warps: 48 };

const nvidia: Parser = (text) => {
  const listings = text.split('\nNAK IR');
  const registers = numberIn(/^Num GPRs: (\d+)/, text);
  if (listings.length < 2 || registers === undefined) return undefined;
  const listing = new Listing();
  let [stores, loads] = [0, 0];
  for (const line of (listings.at(-1) ?? '').split('\n')) {
    const block = /^block\S* \d+ (L\d+)/.exec(line)?.[1];
    if (block) {
      listing.label(block);
      continue;
    }
    const op = /^\s*(?:@!?\S+\s+)?(?:[^=/]*?=\s*)?([a-z][a-z0-9_]*)(?:\.[a-z0-9_]+)*/.exec(line)?.[1];
    if (!op || line.includes('->')) continue;
    let kind: InstructionKind = 'alu';
    if (nvidiaControl.test(op)) kind = 'other';
    else if (/^(ffma|hfma2|dfma)$/.test(op)) kind = 'fma';
    else if (/^(hmma|imma)$/.test(op)) kind = 'matrix';
    else if (nvidiaMemory.test(op)) kind = 'mem';
    const spill = line.includes('.local');
    if (spill && op === 'st') stores++;
    if (spill && op === 'ld') loads++;
    listing.add({
      kind,
      text: line.trim(),
      target: op === 'bra' ? /\b(L\d+)/.exec(line)?.[1] : undefined,
      always: (op === 'exit' || op === 'bra') && !line.includes('@'),
      spill,
    });
  }
  const warps = Math.min(
    nvidiaFile.warps,
    Math.floor(nvidiaFile.registers / (32 * 8 * Math.ceil(registers / 8))),
  );
  return compiled(listing, {
    simd: 32,
    instructions: numberIn(/^Instruction count: (\d+)/, text) ?? 0,
    registers,
    spills: stores,
    fills: loads,
    scratch: numberIn(/^SLM size: (\d+)/, text),
    threads: 32 * warps,
    cycles: numberIn(/^Static cycle count: (\d+)/, text),
  });
};

const adrenoControl =
  /^(nop|br|brao|braa|jump|bar|fence|end|predt|predf|prede|shps|shpe|getone|getlast|chmask|chsh|kill|sleep)$/;

const adreno: Parser = (text) => {
  const parts = text.replaceAll('MESA: info: ', '').split(/^Native code for unnamed CL shader.*$/m);
  const body = parts.at(-1) ?? '';
  if (parts.length < 2) return undefined;
  const listing = new Listing();
  let [stores, loads, slots] = [0, 0, 0];
  for (const line of body.split('\n')) {
    const label = /^(l\d+):/.exec(line)?.[1];
    if (label) {
      listing.label(label);
      continue;
    }
    const found = /^((?:\([a-z0-9]+\)\s*)*)([a-z][a-z0-9]*)((?:\.\w+)*)(?: |$)/.exec(line);
    if (!found || /^(decl|source|unnamed)/.test(line)) continue;
    const [, prefix = '', op = '', type = ''] = found;
    const repeats = Number(/\(rpt(\d)\)/.exec(prefix)?.[1] ?? 0);
    slots += 1 + repeats + Number(/\(nop(\d)\)/.exec(prefix)?.[1] ?? 0);
    let kind: InstructionKind = 'alu';
    if (/^((ld|st)[a-z]*$|isam|resinfo|atomic|sam|getinfo|getsize)/.test(op)) kind = 'mem';
    else if (adrenoControl.test(op)) kind = 'other';
    else if (op === 'mad' && /^\.f(32|16)/.test(type)) kind = 'fma';
    if (op === 'stp') stores++;
    if (op === 'ldp') loads++;
    listing.add({
      kind,
      text: line,
      weight: 1 + repeats,
      target: /#(l\d+)/.exec(line)?.[1],
      always: op === 'jump' || op === 'end',
      spill: op === 'stp' || op === 'ldp',
    });
    if (op === 'end') break; // padding follows
  }
  return compiled(listing, {
    // An early preamble is not part of the count of instructions.
    parsed: slots - (numberIn(/(\d+) preamble instr, 1 early/, body) ?? 0),
    instructions: numberIn(/(\d+) instr,/, body) ?? 0,
    registers: numberIn(/(\d+) full,/, body),
    spills: stores,
    fills: loads,
    scratch: numberIn(/pvtmem[^0-9]*(\d+)/, body),
  });
};

const appleControl =
  /^(wait$|jmp|while|if|else|pop_exec|push_exec|stop|trap|barrier|threadgroup_barrier|nop|call|ret|break|next|memory_barrier)/;

const apple: Parser = (text) => {
  const statistics = text.match(/^CS shader: .*$/gm)?.at(-1);
  if (!statistics) return undefined;
  const instructions = numberIn(/(\d+) instrs/, statistics) ?? 0;
  // One listing is the kernel's, one that of its preamble: the kernel's has the instructions of the statistics.
  const lengthOf = (part: string) => part.match(/^ *[0-9a-f]+: [0-9a-f]+ /gm)?.length ?? 0;
  const away = (part: string) => Math.abs(lengthOf(part) - instructions);
  const [body = ''] = text
    .split(/^(?= *0: [0-9a-f]+ )/m)
    .slice(1)
    .sort((a, b) => away(a) - away(b));
  const listing = new Listing({ structured: true });
  const indices = new Map<number, number>();
  for (const line of body.split('\n')) {
    const found = /^ *([0-9a-f]+): [0-9a-f]+ +(\S+)(.*)$/.exec(line);
    if (!found) continue;
    const [, at = '', op = '', operands = ''] = found;
    const address = Number.parseInt(at, 16);
    indices.set(address, listing.instructions.length);
    let kind: InstructionKind = 'alu';
    if (/^(ffma|hfma)/.test(op)) kind = 'fma';
    else if (appleControl.test(op)) kind = 'other';
    else if (/load|store|^(atomic|wait|tex|image)/.test(op)) kind = 'mem';
    else if (op.startsWith('simd_matrix')) kind = 'matrix';
    const target = op.startsWith('jmp_any')
      ? indices.get(address + Number(operands.trim().split(/\s+/).at(-1)))
      : undefined;
    listing.add({ kind, text: line.trim(), target, spill: op.startsWith('stack_') });
  }
  const [, spills = 0, fills = 0] = /(\d+):(\d+) spills:fills/.exec(statistics) ?? [];
  return compiled(listing, {
    simd: 32,
    instructions,
    registers: numberIn(/(\d+) gprs/, statistics),
    spills: Number(spills),
    fills: Number(fills),
    scratch: numberIn(/(\d+) scratch/, statistics),
    threads: numberIn(/(\d+) threads/, statistics),
  });
};

const mali: Parser = (text) => {
  const statistics = text.match(/^SHADER-DB: .*$/gm)?.at(-1);
  if (!statistics) return undefined;
  const before = text.slice(0, text.lastIndexOf('SHADER-DB'));
  const body = before.slice(before.lastIndexOf('\n}') + 2); // the compiler's own listings end with a brace
  const listing = new Listing();
  for (const line of body.split('\n')) {
    const op = /^ +([A-Z][A-Z0-9_]*)(?:\.\S+)?/.exec(line)?.[1];
    if (!op) continue;
    let kind: InstructionKind = 'alu';
    if (op === 'FMA') kind = 'fma';
    else if (/^(BRANCHZ|BRANCHZI|NOP|BARRIER|JUMP|BLEND|BRANCH)$/.test(op)) kind = 'other';
    else if (/^(LOAD|STORE|LD_|ST_|LEA_|ATOM|TEX|AXCHG|ACMPXCHG)/.test(op)) kind = 'mem';
    const offset = op.startsWith('BRANCH') ? /offset:(-?\d+)/.exec(line)?.[1] : undefined;
    listing.add({
      kind,
      text: line.trim(),
      target: offset === undefined ? undefined : listing.instructions.length + 1 + Number(offset),
      always: offset !== undefined && /\.eq\S* 0x0,/.test(line),
      spill: line.includes('thread_local_pointer'),
    });
  }
  const [, spills = 0, fills = 0] = /(\d+):(\d+) spills:fills/.exec(statistics) ?? [];
  return compiled(listing, {
    simd: 16,
    instructions: numberIn(/(\d+) inst,/, statistics) ?? 0,
    spills: Number(spills),
    fills: Number(fills),
    cycles: numberIn(/([\d.]+) cycles/, statistics),
    threads: numberIn(/(\d+) threads/, statistics),
  });
};

const amd: Parser = (text) => {
  const [, after] = text.split(/^disasm:$/m);
  if (after === undefined) return undefined;
  const [code = '', statistics = ''] = after.split('*** SHADER STATS ***');
  const listing = new Listing();
  for (const raw of code.split('\n')) {
    const label = /^(BB\d+):/.exec(raw)?.[1];
    if (label) {
      listing.label(label);
      continue;
    }
    const op = /^\s+([a-z]\S*)/.exec(raw)?.[1];
    if (!op) continue;
    const line = (raw.split(';')[0] ?? '').trim();
    const both = op.startsWith('v_dual_') ? (line.match(/v_dual_(fmac|fmaak|fmamk|mac)/g)?.length ?? 0) : 0;
    let kind: InstructionKind = 'other';
    if (/^v_(wmma|mfma|swmmac)/.test(op)) kind = 'matrix';
    else if (both > 0 || /^v_(fma|fmac|mac|mad_f|pk_fma|fmamk|fmaak|dot2)/.test(op)) kind = 'fma';
    else if (op.startsWith('v_')) kind = 'alu';
    else if (/^(ds_|global_|buffer_|flat_|scratch_)/.test(op)) kind = 'mem';
    listing.add({
      kind,
      text: line,
      weight: both || 1,
      target: /^s_c?branch\S*\s+(BB\d+)/.exec(line)?.[1],
      always: op === 's_branch' || op === 's_endpgm',
      spill: op.startsWith('scratch_'),
    });
  }
  const statistic = (name: string) => numberIn(new RegExp(`^${name}: (\\d+)`), statistics) ?? 0;
  return compiled(listing, {
    simd: statistics.includes('wave64') ? 64 : 32,
    instructions: numberIn(/^Instructions: (\d+)/, statistics) ?? listing.instructions.length,
    registers: statistic('VGPRs'),
    spills: statistic('Spilled VGPRs') + statistic('Spilled SGPRs'),
    scratch: statistic('Scratch size'),
    threads: statistic('Subgroups per SIMD'),
  });
};

/** The vendors, and the parser of what their compilers print. */
export const parsers = { intel, nvidia, apple, adreno, mali, amd } as const satisfies Readonly<
  Record<string, Parser>
>;
/** A vendor whose compiler can be set up. */
export type Vendor = keyof typeof parsers;
/** Names of the vendors. */
export const vendors = Object.keys(parsers) as readonly Vendor[];
