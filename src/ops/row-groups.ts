// How kernels that read whole rows divide their work: a team of threads a row. On GPUs a team fills a subgroup or a workgroup; on
// adapters that are CPUs barriers are dear, and one thread a row needs none.

/** Threads and rows of a workgroup; a team is THREADS / ROWS threads. */
export type Team = { readonly THREADS: number; readonly ROWS: number };

const teams: Readonly<Record<string, Team>> = {
  'team-256': { THREADS: 256, ROWS: 1 },
  'team-32': { THREADS: 128, ROWS: 4 },
  'team-1': { THREADS: 32, ROWS: 32 },
};

/** The threads and rows of a variant. */
export function teamOf(variant: string): Team {
  const team = teams[variant];
  if (!team) throw new Error(`row teams: there is no ${variant}, only ${Object.keys(teams).join(', ')}`);
  return team;
}

/** The variants for rows of `cols` numbers, best guess for GPUs first. */
export const teamsFor = (cols: number): readonly string[] => [cols > 512 ? 'team-256' : 'team-32', 'team-1'];

/** Numbers that are read at once from rows of `cols`: 4 where they divide. */
export const cellOf = (cols: number): number => (cols % 4 === 0 ? 4 : 1);

/** The shader that reads rows of `cols` numbers four at a time, or its scalar form where they do not divide. */
export const shaderFor = (stem: string, cols: number): string => (cellOf(cols) === 4 ? stem : `${stem}-scalar`);
