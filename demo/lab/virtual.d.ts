// Modules that vite.config.ts generates: the libraries that were installed when the page was built, and loaders of
// the peers.

declare module 'virtual:heddle-peer-names' {
  /** Names of the installed peers. */
  export const installed: readonly ('tfjs' | 'jax')[];
}

declare module 'virtual:heddle-peers' {
  import type { Contestant } from '../../bench/peers/contestant.ts';

  /** Loads a peer from files of the page's own origin. */
  export const load: Partial<Record<'tfjs' | 'jax', () => Promise<{ create(): Promise<Contestant> }>>>;
}

declare module 'virtual:heddle-transformers' {
  /** transformers.js in the folder transformers/ of the page, with its runtime; undefined if the build has none. */
  export const transformers: { readonly version: string; readonly bytes: number } | undefined;
}
