// The module that the build makes of the page's scripts (demo/build/html-translator.ts).

declare module 'virtual:heddle-html-translator' {
  /** The scripts of the HTML file: the first one, and the translator, compressed by gzip, in base64. */
  export default function scripts(): Promise<{ readonly start: string; readonly text: string }>;
}
