// Modules that vite.config.ts generates: the peers that were installed when the page was built, and their
// loaders.

declare module 'virtual:heddle-peer-names' {
  /** Names of the installed peers. */
  export const installed: readonly ('tfjs' | 'jax')[];
}

declare module 'virtual:heddle-peers' {
  import type { Contestant } from '../../bench/peers/contestant.ts';

  /** Loads a peer from files of the page's own origin. */
  export const load: Partial<Record<'tfjs' | 'jax', () => Promise<{ create(): Promise<Contestant> }>>>;
}
