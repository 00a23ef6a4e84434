// The instructions of a compiled kernel, and the counts of its hot loop.

/** What an instruction does: multiply-add, other arithmetic, memory, matrix product, or anything else. */
export type InstructionKind = 'fma' | 'alu' | 'mem' | 'matrix' | 'other';

/** An instruction of a kernel. */
export interface Instruction {
  readonly kind: InstructionKind;
  /** Text of the instruction. */
  text: string;
  /** How often it occupies the arithmetic unit, relative to an instruction for all lanes. [1] */
  readonly weight?: number;
  /** Label, or index of an instruction, that it branches to. */
  readonly target?: string | number;
  /** Whether execution never continues at the next instruction. */
  readonly always?: boolean;
  /** Whether it reads or writes scratch memory. */
  spill?: boolean;
}

/** Counts of the instructions of a loop. */
export interface Counts {
  readonly instructions: number;
  readonly fma: number;
  readonly alu: number;
  readonly mem: number;
  readonly matrix: number;
  /** Accesses to scratch memory. */
  readonly spill: number;
}

/** The hot loop of a kernel. */
export interface HotLoop {
  /** Whether there is a loop; otherwise the counts are those of the kernel. */
  readonly looped: boolean;
  /** The innermost loop with the most multiply-adds; one in a deeper loop counts more. */
  readonly loop: Counts;
  /** The loop around it, in which loops inside count `innerTrips` times. */
  readonly round: Counts;
  /** Assembly of the innermost loop. */
  readonly assembly: readonly string[];
}

/** How often a loop inside another is assumed to run. */
export const innerTrips = 8;

/** Multiply-adds / all arithmetic instructions: the share of the arithmetic peak that a loop can reach. */
export const shareOf = ({ fma, alu }: Counts): number => (fma + alu > 0 ? fma / (fma + alu) : 0);

/** The instructions of a kernel in order, and the labels between them. */
export class Listing {
  readonly instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();
  /** Whether blocks are in the order of the source, so that a loop is what lies between a branch back and its target. */
  readonly #structured: boolean;

  constructor({ structured = false } = {}) {
    this.#structured = structured;
  }

  /** Puts a label before the next instruction. */
  label(name: string): void {
    this.#labels.set(name, this.instructions.length);
  }

  add(instruction: Instruction): void {
    this.instructions.push(instruction);
  }

  /** The counts of the hot loop. */
  hotLoop(): HotLoop {
    const found = this.#loops();
    const loops = found.length > 0 ? found : [new Set(this.instructions.keys())];
    const depth = (body: Body) => loops.filter((other) => isInside(body, other)).length;
    const innermost = loops.filter((body) => !loops.some((other) => isInside(other, body)));
    const inner = best(innermost, (body) => weightOf(this.#count(body, []), innerTrips ** depth(body)));
    const round = best(loops, (body) => weightOf(this.#count(body, loops)));
    return {
      looped: found.length > 0,
      loop: this.#count(inner, []),
      round: this.#count(round, loops),
      assembly: [...inner].sort((a, b) => a - b).map((i) => this.instructions[i]?.text ?? ''),
    };
  }

  /** Counts of a loop; instructions in `loops` inside it count `innerTrips` times for each level. */
  #count(body: Body, loops: readonly Body[]): Counts {
    const counts = { instructions: 0, fma: 0, alu: 0, mem: 0, matrix: 0, spill: 0 };
    const inside = loops.filter((loop) => isInside(loop, body));
    for (const i of body) {
      const { kind, weight = 1, spill = false } = this.instructions[i] as Instruction;
      const times = innerTrips ** inside.filter((loop) => loop.has(i)).length;
      counts.instructions += times;
      if (spill) counts.spill += times;
      if (kind !== 'other') counts[kind] += weight * times;
    }
    return counts;
  }

  /** The loops of the control flow graph. */
  #loops(): Body[] {
    const { instructions } = this;
    const targets = instructions.map(({ target }) =>
      typeof target === 'string' ? this.#labels.get(target) : target,
    );
    const before: number[][] = instructions.map(() => []);
    for (const [i, { always }] of instructions.entries()) {
      before[targets[i] ?? -1]?.push(i);
      if (!always) before[i + 1]?.push(i);
    }
    const bodies = new Map<number, Set<number>>();
    for (const [last, first] of targets.entries()) {
      if (first === undefined || first < 0 || first > last) continue;
      const body = this.#structured ? range(first, last) : naturalLoop(first, last, before);
      if (!this.#structured && body.has(0) && first !== 0) continue; // a jump back that is no loop
      bodies.set(first, new Set([...(bodies.get(first) ?? []), ...body]));
    }
    return [...bodies.values()];
  }
}

/** Indices of the instructions of a loop. */
type Body = ReadonlySet<number>;

const isInside = (body: Body, other: Body): boolean =>
  body.size < other.size && [...body].every((i) => other.has(i));

const range = (first: number, last: number): Set<number> =>
  new Set(Array.from({ length: last - first + 1 }, (_, i) => first + i));

/** The instructions from which `last` is reached without passing `first`. */
function naturalLoop(first: number, last: number, before: readonly (readonly number[])[]): Set<number> {
  const body = new Set([first]);
  const waiting = [last];
  for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
    if (body.has(i)) continue;
    body.add(i);
    waiting.push(...(before[i] ?? []));
  }
  return body;
}

const weightOf = ({ matrix, fma, mem }: Counts, times = 1): readonly number[] =>
  [matrix, fma, mem].map((count) => times * count);

/** The item with the largest weight, compared number by number; the first of equal ones. */
function best(bodies: readonly Body[], weight: (body: Body) => readonly number[]): Body {
  const weighted = bodies.map((body) => ({ body, weight: weight(body) }));
  const isLarger = (a: readonly number[], b: readonly number[]): boolean => {
    const i = a.findIndex((value, k) => value !== b[k]);
    return i >= 0 && (a[i] ?? 0) > (b[i] ?? 0);
  };
  return weighted.reduce((top, next) => (isLarger(next.weight, top.weight) ? next : top)).body;
}
