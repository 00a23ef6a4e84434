// Instead of a page that cannot work: what this browser lacks, and how to switch it on.

import { el } from './dom.ts';

/** What a browser may lack. */
export type Lack = 'insecure' | 'no-webgpu' | 'no-adapter';

/** What this browser lacks for WebGPU, or undefined where it has all. */
export async function whatLacks(): Promise<Lack | undefined> {
  if (!window.isSecureContext) return 'insecure';
  if (!navigator.gpu) return 'no-webgpu';
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? undefined : 'no-adapter';
}

type Browser = 'Chrome or Edge' | 'Firefox' | 'Safari';

const steps: Record<Browser, readonly string[]> = {
  'Chrome or Edge': [
    'Update to version 113 or later; on Android to 121 or later.',
    'In Settings, System, switch on “Use graphics acceleration when available”, and start the browser anew.',
    'On Linux open chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan, set both to Enabled, and start the browser anew.',
    'chrome://gpu says under “WebGPU” what is in the way.',
  ],
  Firefox: [
    'Update to version 141 or later on Windows, 145 or later on a Mac with Apple silicon.',
    'Elsewhere take Firefox Nightly, open about:config and set dom.webgpu.enabled to true.',
    'about:support says under “Graphics” what is in the way.',
  ],
  Safari: [
    'Update to macOS, iOS or iPadOS 26, where WebGPU is on.',
    'Before that: in Settings, Apps, Safari, Advanced, Feature Flags switch on WebGPU.',
  ],
};

function browserOf(agent: string): Browser {
  if (/Firefox/.test(agent)) return 'Firefox';
  return /Safari/.test(agent) && !/Chrome|Chromium|Edg|Android/.test(agent) ? 'Safari' : 'Chrome or Edge';
}

const reasons: Record<Lack, readonly [title: string, text: string]> = {
  insecure: [
    'This page needs a secure address',
    'WebGPU is only there for pages that come over https or from this machine. Open the page by https://, or by http://localhost.',
  ],
  'no-webgpu': [
    'This browser has no WebGPU',
    'Training runs on your graphics card through WebGPU, and this browser does not offer it: it is too old, or it is switched off.',
  ],
  'no-adapter': [
    'WebGPU finds no graphics card',
    'This browser has WebGPU, but it gives this page no adapter: the graphics driver is too old, blocked, or switched off.',
  ],
};

/** The page in that case. The visitor's own browser comes first and is open. */
export function lackPage(lack: Lack, agent = navigator.userAgent): HTMLElement {
  const [title, text] = reasons[lack];
  const own = browserOf(agent);
  const browsers = (Object.keys(steps) as Browser[]).sort((a, b) => Number(b === own) - Number(a === own));
  return el(
    'section',
    { class: 'card lack', 'aria-labelledby': 'lack-title' },
    el('h2', { id: 'lack-title' }, title),
    el('p', {}, text),
    ...(lack === 'insecure'
      ? []
      : browsers.map((browser) =>
          el(
            'details',
            { open: browser === own },
            el('summary', {}, browser === own ? `${browser}: what to do` : browser),
            el('ol', {}, ...steps[browser].map((step) => el('li', {}, step))),
          ),
        )),
    el('button', { type: 'button', class: 'main', onclick: () => location.reload() }, 'Try again'),
  );
}
