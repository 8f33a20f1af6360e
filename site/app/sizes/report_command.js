/** How whoever runs the site writes a whole report, to be put beside the model. */

import { element } from '../dom.js';
import { text } from '../texts.js';

/** @param {import('../catalogue.js').Entry} entry */
export function reportCommand({ url }) {
  const folder = url.replace(/\/+$/, '').split('/').pop();
  const command = `.venv/bin/thistledown report build/models/${folder} --format json > report.json`;
  return element('pre', { tabindex: '0', translate: 'no', role: 'group', 'aria-label': text('empty.commands') }, command);
}
