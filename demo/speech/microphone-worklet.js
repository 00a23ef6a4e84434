// AudioWorklet of the microphone: sends the samples of the first channel in pieces of about 60 ms.

const pieceSamples = 1024;

class Microphone extends AudioWorkletProcessor {
  #piece = new Float32Array(pieceSamples);
  #length = 0;
  #isEnded = false;

  constructor() {
    super();
    // The page asks for the rest.
    this.port.onmessage = () => {
      this.#send();
      this.port.postMessage('end');
      this.#isEnded = true;
    };
  }

  process([input]) {
    const samples = input?.[0];
    if (samples && !this.#isEnded) {
      if (this.#length + samples.length > pieceSamples) this.#send();
      this.#piece.set(samples, this.#length);
      this.#length += samples.length;
    }
    return !this.#isEnded;
  }

  #send() {
    if (this.#length > 0) this.port.postMessage(this.#piece.slice(0, this.#length));
    this.#length = 0;
  }
}

registerProcessor('microphone', Microphone);
