/** What a visitor can do when the browser offers no WebGPU: models then run on the processor, where the site has what it takes. */

import { byId, element } from './dom.js';
import { text, textParts } from './texts.js';

/** Shows the notice at the top of the page where it is needed. */
export function showDeviceNotice() {
  if ('gpu' in navigator) return;
  const [title, ...steps] = window.isSecureContext ? noWebGpu() : insecurePage();
  byId('device', HTMLElement).replaceChildren(
    element(
      'section',
      { class: 'notice', 'aria-labelledby': 'device-title' },
      element('h2', { id: 'device-title' }, title),
      element('ol', {}, ...steps.map((step) => element('li', {}, ...step))),
    ),
  );
}

/** @typedef {[string, ...(string | Node)[][]]} Notice a title and its steps */

/** @returns {Notice} */
function insecurePage() {
  return [
    text('device.insecure'),
    textParts('device.https', { https: code('https://') }),
    textParts('device.local', { name: code('http://localhost'), number: code('http://127.0.0.1') }),
  ];
}

/** @returns {Notice} */
function noWebGpu() {
  const flags = {
    unsafe: code('chrome://flags/#enable-unsafe-webgpu'),
    vulkan: code('chrome://flags/#enable-vulkan'),
  };
  return [
    text('device.missing'),
    [text('device.update')],
    [text('device.acceleration')],
    textParts('device.flags', flags),
    textParts('device.look', { page: code('chrome://gpu') }),
  ];
}

/** @param {string} address */
function code(address) {
  return element('code', { translate: 'no' }, address);
}
