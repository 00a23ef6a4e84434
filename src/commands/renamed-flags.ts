// Old names of flags, and their names in other tools.

const decoding = {
  '--beam': '--beam-size',
  '--beams': '--beam-size',
  '--min-tokens': '--min-new-tokens',
  '--unique-ngrams': '--no-repeat-ngram-size',
  '--ban': '--suppress-tokens',
  '--batch': '--batch-size',
};
const sizes = {
  '--batch': '--batch-size',
  '--source': '--source-length',
  '--target': '--target-length',
  '--vocab': '--vocab-size',
};

/**
 * By command, old flags and their new names. The flags of `heddle train` are in its table of settings
 * (src/train/settings/settings.ts).
 */
export const renamedFlags: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  translate: { ...decoding, '--n-best': '--num-return', '--max-tokens': '--max-new-tokens' },
  eval: decoding,
  distill: { '--beams': '--beam-size', '--translate-batch': '--teacher-batch-size' },
  convert: { '--adapter': '--lora-adapter' },
  plan: { ...sizes, '--checkpoint-layers': '--gradient-checkpointing' },
  profile: sizes,
  tune: sizes,
  bench: {
    '--batch': '--batch-size',
    '--vocab': '--vocab-size',
    '--timed-steps': '--steps',
    '--presets': '--preset',
  },
};

/** Names of the same flag in fairseq, Marian or transformers. */
export const flagAliases: Readonly<Record<string, string>> = {
  '--num-beams': '--beam-size',
  '--num-return-sequences': '--num-return',
  '--do-sample': '--sample',
  '--backend': '--host',
};

/**
 * Replaces old names and aliases in the arguments of the command line. `notice` receives a line for each old
 * name.
 */
export function currentFlags(args: readonly string[], notice: (line: string) => void): string[] {
  const command = args.find((arg) => !arg.startsWith('-')) ?? '';
  const renamed = renamedFlags[command] ?? {};
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const [flag = '', value] = arg.split(/=(.*)/s, 2);
    const name = end < 0 || i < end ? (renamed[flag] ?? flagAliases[flag]) : undefined;
    if (name === undefined) return arg;
    if (flag in renamed) notice(`heddle: ${flag} is now ${name}`);
    return value === undefined ? name : `${name}=${value}`;
  });
}
