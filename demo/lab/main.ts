// The kernel lab: mounts its parts and shows the messages of the worker.

import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { formatPercent } from '../../src/core/format-numbers.ts';
import type { Roofs } from '../../src/gpu/roofs.ts';
import { byId, el, fill, onFrame, set } from '../common/dom.ts';
import { mountHeader, type PageHeader } from '../common/page-header.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { createKernelTable } from './kernel-table.ts';
import { createControls } from './lab-controls.ts';
import { type LabReply, peerNames } from './lab-protocol.ts';
import { conformanceJson, conformanceReport, peersReport, resultsBox } from './lab-reports.ts';
import { createLabSession } from './lab-session.ts';
import { maxSpread, pluralize } from './measurement-text.ts';
import { createRoofline } from './roofline.ts';

const header = mountHeader('lab');
const problem = await findProblem();
if (problem) fill(byId('webgpu-problem'), problemPage(problem));
else mountLab(header);

function mountLab({ showAdapter }: PageHeader): void {
  let kernels: KernelResult[] = [];
  let peers: TimedKernel[] = [];
  let roofs: Roofs | undefined;

  const roofline = createRoofline((name) => table.highlight(name));
  const table = createKernelTable((name) => roofline.highlight(name));
  const all = el('input', { type: 'checkbox', onchange: () => draw() });
  const draw = onFrame(() => {
    roofline.show({ kernels, peers, roofs, all: all.checked });
    table.show(kernels, roofs, all.checked);
    set(byId('peers'), { hidden: peers.length === 0 });
    if (peers.length > 0) fill(byId('peer-table'), peersReport(peers, peerNames));
  });

  const onReply = (reply: LabReply) => {
    if (reply.type === 'machine') showAdapter(reply.name);
    else if (reply.type === 'progress') controls.setProgress(reply.done, reply.of, reply.next);
    else if (reply.type === 'roofs') roofs = reply.roofs;
    else if (reply.type === 'kernel') kernels.push(reply.kernel);
    else if (reply.type === 'peer-kernel') peers.push(reply.kernel);
    else if (reply.type === 'checked') {
      controls.setRunning(false);
      controls.setStatus(`Done: this engine ${reply.report.passed ? 'passes' : 'fails a check'}.`);
      fill(byId('conformance-report'), conformanceReport(reply.report), conformanceJson(reply.report));
      set(byId('conformance'), { hidden: false });
    } else {
      controls.setRunning(false);
      if (reply.type === 'stopped') controls.setStatus(`Stopped after ${pluralize(kernels.length, 'kernel')}.`);
      if (reply.type === 'failed') controls.setStatus(reply.message, 'bad');
      if (reply.type === 'done') {
        const wrong = reply.results.conformance.kernels.filter((k) => !k.passed).length;
        const spread = reply.results.roofSpread;
        const busy = spread > maxSpread ? ' This machine is busy: measure again.' : '';
        controls.setStatus(
          `Done: ${pluralize(kernels.length, 'kernel')}, ${wrong === 0 ? 'all correct' : `${wrong} wrong`}. ` +
            `The roofs differ by ${formatPercent(spread)} before and after.${busy}`,
        );
        fill(byId('conformance-report'), conformanceReport(reply.results.conformance));
        fill(byId('results-box'), resultsBox(reply.results));
        set(byId('conformance'), { hidden: false });
        set(byId('results'), { hidden: false });
      }
    }
    draw();
  };

  const session = createLabSession(onReply);
  const begin = () => {
    [kernels, peers, roofs] = [[], [], undefined];
    for (const id of ['conformance', 'results']) set(byId(id), { hidden: true });
    controls.setRunning(true);
    draw();
  };
  const controls = createControls({
    measure(settings) {
      begin();
      session.start(settings);
    },
    checkConformance() {
      begin();
      session.check();
    },
    stop: () => session.stop(),
  });
  byId('controls').append(controls.element);
  fill(byId('roofline'), roofline.element);
  fill(byId('table'), el('label', { class: 'check' }, all, 'Show all variants'), table.element);
  set(byId('lab'), { hidden: false });
  draw();
}
