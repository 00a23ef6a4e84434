// npm packages that only some programs need, so that heddle does not install them.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';

/** The packages, whose users install them. */
export const optionalPackages = {
  webgpu: () => import('webgpu'),
  'puppeteer-core': () => import('puppeteer-core'),
  'onnxruntime-web': () => import('onnxruntime-web'),
};

/**
 * The module that `load` imports from the package `name`. If it is missing or does not load, throws a
 * HeddleError that says how to install it and what works without it (`instead`).
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
        ? msg`the package "${name}" is not installed: run "npm install ${name}", or ${instead}`
        : msg`the package "${name}" does not load on ${platform} (${message.split('\n')[0]}): install it again with "npm install ${name}", or ${instead}`,
      { kind: 'unsupported', cause: error },
    );
  }
}
