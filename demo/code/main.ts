// The page Code: examples of the library, to edit and run.

import { byId } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { show } from '../common/panel.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { ProgramOutput } from './program-output.ts';
import { ProgramPanel } from './program-panel.ts';

mountHeader('code');
const problem = await findProblem();
if (problem) show(problemPage(problem, { recordedRun: true }), byId('webgpu-problem'));
const output = new ProgramOutput();
const program = new ProgramPanel(output);
byId('program-box').append(program.element);
byId('output-box').append(output.element);
byId('code-page').hidden = false;
window.addEventListener('hashchange', () => program.showLinked());
window.addEventListener('pagehide', () => program.save());
