// A component that trains a translator and translates what the user types.
import { useState } from 'react';
import { useTraining } from './use-training.js';

const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const numbers = ['uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho'];
const pairs = words.flatMap((a, i) =>
  words.map((b, j) => ({ source: `${a} ${b}`, target: `${numbers[j]} ${numbers[i]}` })),
);
const options = { preset: 'tiny', tokenizer: 'word', batchSize: 32, heldOut: 0, steps: 150 };

export function Translator() {
  const { state, step, loss, error, model, start, cancel } = useTraining();
  const [text, setText] = useState('five two');
  const [translation, setTranslation] = useState('');
  const translate = async (event) => {
    event.preventDefault();
    setTranslation(await model.translate(text));
  };
  return (
    <main>
      <button type="button" id="train" onClick={() => start(pairs, options)} disabled={state === 'training'}>
        Train
      </button>
      <button type="button" id="cancel" onClick={cancel} disabled={state !== 'training'}>
        Cancel
      </button>
      <progress max={options.steps} value={step} />
      <p id="status" role="status">
        {error ? error.message : state}
        {loss !== undefined && ` step ${step}, loss ${loss.toFixed(3)}`}
      </p>
      <form onSubmit={translate}>
        <input id="text" value={text} onChange={(event) => setText(event.target.value)} aria-label="Text" />
        <button type="submit" id="translate" disabled={!model}>
          Translate
        </button>
        <output id="translation">{translation}</output>
      </form>
    </main>
  );
}
