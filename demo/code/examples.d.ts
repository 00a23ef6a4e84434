// Module that vite.config.ts generates: the examples of the documentation.

declare module 'virtual:heddle-examples' {
  /**
   * The example of README.md, then those of docs/examples.md: name for addresses, title, explanation, code.
   */
  export const examples: readonly {
    readonly id: string;
    readonly title: string;
    readonly text: string;
    readonly code: string;
  }[];
}
