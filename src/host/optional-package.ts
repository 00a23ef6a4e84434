// Packages of npm that only some programs need, so that heddle does not install them.

import { HeddleError } from '../core/errors.ts';

/**
 * The module that `load` imports from the package `name`. Throws a HeddleError that says how to install it, and
 * `instead` what works without it, if there is none or it does not load.
 */
export async function optionalPackage<T>(name: string, load: () => Promise<T>, instead: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
    const platform = `${process.platform}-${process.arch}`;
    throw new HeddleError(
      missing
        ? `the package "${name}" is not installed: run "npm install ${name}", or ${instead}`
        : `the package "${name}" does not load on ${platform} (${message.split('\n')[0]}): install it again with "npm install ${name}", or ${instead}`,
      { cause: error },
    );
  }
}
