// What 'heddle' is in Deno, by the "deno" condition of package.json: the library with Deno as its platform.

import { registerPlatform } from './api/platform.ts';
import { denoPlatform } from './host/deno-platform.ts';

export { denoFiles } from './host/deno-platform.ts';
export * from './index.ts';

registerPlatform(denoPlatform());
