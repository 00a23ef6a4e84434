// Names of flags in fairseq, Marian and transformers, which work as those of heddle.

/** By name in another tool, the flag of heddle. */
export const flagAliases: Readonly<Record<string, string>> = {
  '--num-beams': '--beam-size',
  '--num-return-sequences': '--num-return',
  '--do-sample': '--sample',
  '--backend': '--host',
};

/** Replaces the names of other tools in the arguments of the command line, up to `--`. */
export function withoutAliases(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const [flag = '', value] = arg.split(/=(.*)/s, 2);
    const name = end < 0 || i < end ? flagAliases[flag] : undefined;
    if (name === undefined) return arg;
    return value === undefined ? name : `${name}=${value}`;
  });
}
