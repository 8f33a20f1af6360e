/** A question before something is deleted for good. */

import { button, element } from '../dom.js';
import { text } from '../texts.js';

/**
 * @param {string} question
 * @param {string} consequence
 * @returns {Promise<boolean>} whether the visitor wants it; Escape does not
 */
export function confirmed(question, consequence) {
  const dialog = element('dialog', { 'aria-labelledby': 'question', 'aria-describedby': 'consequence' });
  const keep = button(text('storage.keep'), () => dialog.close(), { class: 'quiet', autofocus: '' });
  const remove = button(text('delete'), () => dialog.close('delete'), { class: 'danger' });
  const heading = element('h2', { id: 'question' }, question);
  const words = element('p', { id: 'consequence' }, consequence);
  dialog.append(element('div', {}, heading, words, element('p', { class: 'row' }, keep, remove)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'delete');
    });
  });
}
