/** Says that a new version of the site waits on this device, and takes it when the visitor says so. */

import { announce } from './announcer.js';
import { button, element } from './dom.js';
import { text } from './texts.js';

const message = element('p');

/** @param {ServiceWorkerRegistration} registration whose next worker waits */
export function showUpdate(registration) {
  say(text('update.ready'));
  if (message.isConnected) return;
  const notice = element('section', { class: 'notice update', 'aria-label': text('update') }, message);
  const take = button(text('update.reload'), () => takeUpdate(registration));
  const later = button(text('update.later'), () => notice.remove(), { class: 'quiet' });
  notice.append(element('p', { class: 'row' }, take, later));
  document.body.append(notice);
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data.others) say(text('update.others', { n: data.others }));
  });
}

/** @param {string} words */
function say(words) {
  message.textContent = words;
  announce(words);
}

/** The page is loaded again when the new worker has taken over; it refuses while other tabs show the old version. @param {ServiceWorkerRegistration} registration */
function takeUpdate({ waiting }) {
  if (waiting === null) return location.reload(); // another tab has taken it
  waiting.addEventListener('statechange', () => waiting.state === 'activated' && location.reload());
  waiting.postMessage({ takeOver: true });
}
