// The kernel lab's page.
import { mountHeader } from '../common/header.ts';

mountHeader('lab');
