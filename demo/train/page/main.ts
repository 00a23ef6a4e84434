// The training page: puts its parts together. What it knows it hears from the session; what it asks, it asks of it.

import { byId, fill, set } from '../../common/dom.ts';
import { mountHeader } from '../../common/page-header.ts';
import { lackPage, whatLacks } from '../../common/webgpu-support.ts';
import { createNotices } from './notices.ts';
import { mountTraining } from './training-page.ts';
import { createSession } from './training-session.ts';

const header = mountHeader('train');
const lack = await whatLacks();
if (lack) fill(byId('lack'), lackPage(lack));
else {
  const notices = createNotices();
  fill(byId('notices'), notices.element);
  set(byId('layout'), { hidden: false });
  mountTraining(createSession(), header, notices);
}
