/** How whoever runs the site writes a whole report, and puts it beside the model. */

import { element } from '../dom.js';
import { text } from '../texts.js';

/** @param {import('../catalogue.js').Entry} entry */
export function reportCommand({ url }) {
  const folder = `build/models/${url.replace(/\/+$/, '').split('/').pop()}`;
  // Not written in its place at once: the report reads the one that lies there.
  const command = `.venv/bin/thistledown report ${folder} --format json > report.json\nmv report.json ${folder}/`;
  return element('pre', { tabindex: '0', translate: 'no', role: 'group', 'aria-label': text('empty.commands') }, command);
}
