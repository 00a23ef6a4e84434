// The kernel lab: shows its parts, or how to enable WebGPU.

import { byId } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { show } from '../common/panel.ts';
import { findProblem, problemPage } from '../common/webgpu-support.ts';
import { LabPage } from './lab-page.ts';

const header = mountHeader('lab');
const problem = await findProblem();
if (problem) show(problemPage(problem, { recordedRun: true }), byId('webgpu-problem'));
else new LabPage(header).open();
