// The jobs of all commands by their names, for `runJob`.
import { commands } from '../../src/commands/commands.ts';

/** The jobs of all commands. */
export const jobs = {
  ...commands.train.jobs,
  ...commands.distill.jobs,
  ...commands.average.jobs,
  ...commands.translate.jobs,
  ...commands.transcribe.jobs,
  ...commands.eval.jobs,
  ...commands.score.jobs,
  ...commands.runs.jobs,
  ...commands.align.jobs,
  ...commands.tokenizer.jobs,
  ...commands.convert.jobs,
  ...commands.verify.jobs,
  ...commands.info.jobs,
};
