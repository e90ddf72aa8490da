import { isHostMessage } from '../src/protocol/check.ts';
import { Page } from './page.ts';
import './toolkit.ts';

const page = new Page(document.getElementById('root') ?? document.body);

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (isHostMessage(data)) {
    page.receive(data);
  } else {
    console.error('Treeline: a message of the host does not read as the protocol says.', data);
  }
});

page.start();
