// Names of flags in fairseq, Marian and transformers, and older names of heddle's own, which work for one version.

/** By another name, the words of heddle. None is listed in a help. */
export const flagAliases: Readonly<Record<string, readonly [string, string?]>> = {
  '--num-beams': ['--beams'],
  '--num-return-sequences': ['--num-return'],
  '--do-sample': ['--method', 'sample'],
  '--backend': ['--host'],
  // Until 1.0. They go in 2.0.
  '--beam-size': ['--beams'],
  '--sample': ['--method', 'sample'],
  '--output': ['--out'],
  '--output-dir': ['--out'],
  '--lora-adapter': ['--lora'],
  '--max-length-crop': ['--long-texts', 'crop'],
  '--skip-long': ['--long-texts', 'skip'],
};

/** Replaces other names of flags in the arguments of the command line, up to `--`. */
export function withoutAliases(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.flatMap((arg, i) => {
    const [flag = '', given] = arg.split(/=(.*)/s, 2);
    const own = end < 0 || i < end ? flagAliases[flag] : undefined;
    if (own === undefined) return [arg];
    const [name, value = given] = own;
    // A flag with two words, --method sample, stays two words.
    if (own.length > 1) return [name, value as string];
    return [value === undefined ? name : `${name}=${value}`];
  });
}
