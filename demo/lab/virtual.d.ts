// Modules that vite.config.ts writes: which peers were installed when the page was built, and how they are loaded.

declare module 'virtual:heddle-peer-names' {
  /** Names of the peers that are there. */
  export const installed: readonly ('tfjs' | 'jax')[];
}

declare module 'virtual:heddle-peers' {
  import type { Contestant } from '../../bench/peers/contestant.ts';

  /** Loads a peer from files of the page's own origin. */
  export const load: Partial<Record<'tfjs' | 'jax', () => Promise<{ create(): Promise<Contestant> }>>>;
}
