/** What a visitor can do when the browser offers no WebGPU: models then run on the processor, where the site has what it takes. */

import { byId, element } from './dom.js';

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
    'This page is not opened securely, so the browser hides the graphics processor from it',
    ['Open it with ', code('https://'), ' in front of the address.'],
    [
      'On your own machine, use ',
      code('http://localhost'),
      ' or ',
      code('http://127.0.0.1'),
      '; both count as secure.',
    ],
  ];
}

/** @returns {Notice} */
function noWebGpu() {
  return [
    'This browser does not offer WebGPU, so models run slowly here, or not at all',
    ['Update the browser: Chrome or Edge 113 or later, Safari 26 or later, or Firefox 141 or later on Windows.'],
    ['Switch on hardware acceleration in the browser’s settings, under System, and restart it.'],
    [
      'On Linux, Chrome may need ',
      code('chrome://flags/#enable-unsafe-webgpu'),
      ' and ',
      code('chrome://flags/#enable-vulkan'),
      '.',
    ],
    ['Look at ', code('chrome://gpu'), ': the line WebGPU says what is missing, often a driver.'],
  ];
}

/** @param {string} text */
function code(text) {
  return element('code', {}, text);
}
