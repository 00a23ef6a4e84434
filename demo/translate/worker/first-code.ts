// What the first translation needs of the code that the library loads on demand. The worker asks for all of it at once,
// while the model is on its way: on a slow network each file that is asked for later is a round trip before the answer.

/** Starts to load the code. What fails is loaded again by the library, which reports it. */
export function loadFirstCode(): void {
  void Promise.allSettled([
    import('../../../src/api/remote-models.ts'),
    import('../../../src/formats/heddle.ts'),
    import('../../../src/api/open-variant.ts'),
    import('../../../src/text/sentencepiece/saved-sentencepiece.ts'),
    import('../../../src/decode/alignment.ts'),
    import('../../../src/decode/aligned-texts.ts'),
  ]);
}
