// Finds the programs of other hosts on this machine: Chrome or Chromium, Firefox, Deno.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import browserPrograms from './browser-programs.json' with { type: 'json' };

/**
 * Path of the system's Chrome or Chromium: PUPPETEER_EXECUTABLE_PATH or CHROME_PATH if set, else the first of
 * the names and paths in browser-programs.json that exists. Returns undefined if there is none.
 *
 * @example
 * const chrome = await launchChrome({ executablePath: findChrome() });
 */
export const findChrome = (): string | undefined =>
  process.env.PUPPETEER_EXECUTABLE_PATH || process.env.CHROME_PATH || firstProgram(browserPrograms.chrome);

/**
 * Path of the system's Firefox: FIREFOX_PATH if set, else the first of those in browser-programs.json that
 * exists. Returns undefined if there is none.
 *
 * @example
 * const firefox = await launchFirefox({ executablePath: findFirefox() });
 */
export const findFirefox = (): string | undefined =>
  process.env.FIREFOX_PATH || firstProgram(browserPrograms.firefox);

/** Path of the system's Deno: DENO_PATH if set, else `deno` in PATH. Returns undefined if there is none. */
export const findDeno = (): string | undefined => process.env.DENO_PATH || firstProgram(['deno']);

/** The first of some programs that exists: names are searched in PATH. */
function firstProgram(programs: readonly string[]): string | undefined {
  for (const program of programs) {
    if (/[\\/]/.test(program)) {
      if (isProgram(program)) return program;
      continue;
    }
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, program);
      if (folder && isProgram(path)) return path;
    }
  }
  return undefined;
}

/** Whether `path` is a file that can be executed. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The path of a program. Throws a HeddleError if there is none, which says that `command` installs it and
 * that the environment variable `variable` is its path, or if the path is not a program.
 */
export function programAt(path: string | undefined, name: string, command: string, variable: string): string {
  if (!path)
    throw new HeddleError(
      msg`no ${name} found: install it (${command}), or set ${variable} to the path of its program`,
      { kind: 'unsupported' },
    );
  if (!isProgram(path))
    throw new HeddleError(msg`no ${name}: ${path} is not an executable file`, { kind: 'unsupported' });
  return path;
}
