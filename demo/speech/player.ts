// Plays recordings, one at a time.

let playing: { readonly context: AudioContext } | undefined;

/** Plays a sound from its start; stops the one before. */
export async function play(sound: Blob): Promise<void> {
  void playing?.context.close();
  const context = new AudioContext();
  playing = { context };
  const source = context.createBufferSource();
  source.buffer = await context.decodeAudioData(await sound.arrayBuffer());
  source.connect(context.destination);
  source.onended = () => {
    if (context.state !== 'closed') void context.close();
  };
  source.start();
}
