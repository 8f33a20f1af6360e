/** Has the site's worker keep its files on this device, where there are workers, and says when a new version waits. */

const SCRIPT = new URL('../service_worker.js', import.meta.url).href;
/** The page goes first: for so long nothing more must have come for it. */
const QUIET_MS = 1000;
const IDLE = { timeout: 5000 };
const GONE = [404, 410];

/** @returns {string} in the wrapping that Trusted Types ask for */
function scriptUrl() {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  return trustedTypes ? trustedTypes.createPolicy('offline', { createScriptURL: () => SCRIPT }).createScriptURL(SCRIPT) : SCRIPT;
}

async function keepSite() {
  const registration = await navigator.serviceWorker.register(scriptUrl());
  watch(registration);
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  if (navigator.serviceWorker.controller === null) return keep(loaded);
  await refresh(registration);
  await keep(loaded.filter(isText));
}

/** A server that has the worker no more has another site, or none to keep. @param {ServiceWorkerRegistration} registration */
async function refresh(registration) {
  try {
    await registration.update();
  } catch (cause) {
    const { status } = await fetch(SCRIPT, { method: 'HEAD', cache: 'no-store' });
    if (!GONE.includes(status)) return;
    registration.active?.postMessage({ forget: true });
    throw cause;
  }
}

/** A page fetches its own words alone; kept are all of the language. @param {string} address */
function isText(address) {
  return address.includes('/app/texts/');
}

/** @param {string[]} addresses */
async function keep(addresses) {
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage({ keep: addresses });
}

/** @param {ServiceWorkerRegistration} registration */
function watch(registration) {
  if (registration.waiting) void offer(registration);
  registration.addEventListener('updatefound', () => {
    const coming = registration.installing;
    coming?.addEventListener('statechange', () => {
      if (coming.state === 'installed' && registration.active) void offer(registration);
    });
  });
}

/** @param {ServiceWorkerRegistration} registration */
async function offer(registration) {
  const { showUpdate } = await import('./update_notice.js');
  showUpdate(registration);
}

/** Resolves when the page has what it asked for, and nothing to do. @returns {Promise<void>} */
function quiet() {
  return new Promise((resolve) => {
    const idle = () => {
      observer.disconnect();
      if ('requestIdleCallback' in window) requestIdleCallback(() => resolve(), IDLE);
      else resolve();
    };
    let timer = setTimeout(idle, QUIET_MS);
    const observer = new PerformanceObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(idle, QUIET_MS);
    });
    observer.observe({ type: 'resource' });
  });
}

const start = () => quiet().then(keepSite).catch(() => undefined);
if ('serviceWorker' in navigator) {
  if (document.readyState === 'complete') start();
  else addEventListener('load', start);
}
