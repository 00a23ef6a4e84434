// Detects missing WebGPU support and builds the page that explains how to enable it.

import { say } from './page-texts.ts';
import { type Content, html, nothing } from './panel.ts';

/** Reasons why a page cannot use WebGPU. */
export type WebGpuProblem = 'insecure' | 'no-webgpu' | 'no-adapter';

/** Returns why this page cannot use WebGPU; undefined if it can. */
export async function findProblem(): Promise<WebGpuProblem | undefined> {
  if (!window.isSecureContext) return 'insecure';
  if (!navigator.gpu) return 'no-webgpu';
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? undefined : 'no-adapter';
}

type Browser = 'Chrome or Edge' | 'Firefox' | 'Safari';

const steps: Record<Browser, readonly string[]> = {
  'Chrome or Edge': [
    say`Update to version 113 or later; on Android to 121 or later.`,
    say`In Settings, System, enable “Use graphics acceleration when available”, and restart the browser.`,
    say`On Linux open chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan, set both to Enabled, and restart the browser.`,
    say`chrome://gpu lists the problem under “WebGPU”.`,
  ],
  Firefox: [
    say`Update to version 141 or later on Windows, 145 or later on a Mac with Apple silicon.`,
    say`On other systems, install Firefox Nightly, open about:config and set dom.webgpu.enabled to true.`,
    say`about:support lists the problem under “Graphics”.`,
  ],
  Safari: [
    say`Update to macOS, iOS or iPadOS 26, where WebGPU is enabled by default.`,
    say`On earlier versions, enable WebGPU in Settings, Apps, Safari, Advanced, Feature Flags.`,
  ],
};

function browserOf(agent: string): Browser {
  if (/Firefox/.test(agent)) return 'Firefox';
  return /Safari/.test(agent) && !/Chrome|Chromium|Edg|Android/.test(agent) ? 'Safari' : 'Chrome or Edge';
}

const reasons: Record<WebGpuProblem, readonly [title: string, text: string]> = {
  insecure: [
    say`This page needs a secure context`,
    say`WebGPU is only available to pages served over https or from localhost. Open the page at an https:// or http://localhost address.`,
  ],
  'no-webgpu': [
    say`This browser does not support WebGPU`,
    say`This page runs on the GPU through WebGPU. This browser is too old, or WebGPU is disabled.`,
  ],
  'no-adapter': [
    say`WebGPU found no GPU adapter`,
    say`This browser supports WebGPU but returned no adapter: the graphics driver is too old, blocked or disabled.`,
  ],
};

/**
 * The explanation of a problem; the steps for the visitor's browser come first and are expanded.
 * `recordedRun`: links to the page with the recorded run.
 */
export function problemPage(problem: WebGpuProblem, { recordedRun = false } = {}): Content {
  const [title, text] = reasons[problem];
  const own = browserOf(navigator.userAgent);
  const browsers = (Object.keys(steps) as Browser[]).sort((a, b) => Number(b === own) - Number(a === own));
  const recorded = html`
    <p>Without WebGPU you can <a href="./train.html">look at a recorded training</a>.</p>`;
  return html`
    <section class="card webgpu-problem" aria-labelledby="webgpu-problem-title">
      <h2 id="webgpu-problem-title">${title}</h2>
      <p>${text}</p>
      ${recordedRun ? recorded : nothing}
      ${problem === 'insecure' ? nothing : browsers.map((browser) => browserSteps(browser, browser === own))}
      <button type="button" class="main" @click=${() => location.reload()}>Try again</button>
    </section>`;
}

const browserSteps = (browser: Browser, isOwn: boolean): Content => html`
  <details ?open=${isOwn}>
    <summary>${isOwn ? say`${browser}: how to enable WebGPU` : browser}</summary>
    <ol>
      ${steps[browser].map((step) => html`<li>${step}</li>`)}
    </ol>
  </details>`;
