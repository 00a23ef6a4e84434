// The switch "For engineers": elements with the class `for-engineers` are shown only if it is on. The browser keeps it.

import { type Content, html, Panel } from '../../common/panel.ts';
import { storeChoice, storedChoice } from '../../common/stored-choice.ts';

/** Where the choice is stored. */
const storedAt = 'heddle for engineers';

const apply = (isOn: boolean): void => {
  document.documentElement.toggleAttribute('data-engineers', isOn);
};
let isOn = storedChoice(storedAt) === 'on';
apply(isOn);

/** The switch. */
export class EngineersSwitch extends Panel {
  constructor() {
    super('');
    this.draw();
  }

  #set(event: Event): void {
    isOn = (event.target as HTMLInputElement).checked;
    apply(isOn);
    storeChoice(storedAt, isOn ? 'on' : 'off');
  }

  protected override template(): Content {
    return html`<label class="check" title="Utilization, dispatches, batch shapes, memory, norms, and models of the hub">
      <input type="checkbox" id="for-engineers" role="switch" .checked=${isOn} @change=${this.#set} />For engineers</label>`;
  }
}
