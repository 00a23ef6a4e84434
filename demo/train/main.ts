// The training page.
import { mountHeader } from '../common/header.ts';

mountHeader('train');
