// What 'heddle' is in Deno, by the "deno" condition of package.json: the library with Deno as its host.

import { denoHost } from '../host/deno-host.ts';
import { registerHost } from '../session/host.ts';

export { denoFiles } from '../host/deno-host.ts';
export * from './heddle.ts';

registerHost(denoHost());
