/**
 * Keeps the site's own files on the visitor's device, so that pages open without a network. The server puts the list of
 * files in front of this script, so a changed file makes another worker. Models are the engine's to keep.
 *
 * An entry is named by path and content: versions share what is alike, an install that was broken off goes on where it
 * was, and no version can give another's file. A new version waits until no page of the old one is open.
 */
'use strict';
{
  /**
   * @typedef {Record<string, string>} Hashes path, from the site's folder, to the first 96 bits of its SHA-256, in base64
   * @typedef {{ headers: string, core: Hashes, onUse: Hashes }} Shell `headers` names those that the server gives all files
   * @typedef {Event & { waitUntil: (work: Promise<unknown>) => void }} Lasting
   * @typedef {Lasting & { request: Request, respondWith: (answer: Promise<Response>) => void }} Asked
   * @typedef {{ keep?: string[], takeOver?: true, forget?: true }} Wish `keep`: addresses that the page has loaded
   * @typedef {Lasting & { data: Wish, source: { postMessage: (message: unknown) => void } }} Told
   * @typedef {object} Scope
   * @property {Shell} SHELL
   * @property {ServiceWorkerRegistration} registration
   * @property {{ matchAll: (options: object) => Promise<unknown[]> }} clients
   * @property {() => Promise<void>} skipWaiting
   * @property {(type: string, listener: (event: any) => void) => void} addEventListener
   */
  const worker = /** @type {Scope} */ (/** @type {unknown} */ (self));
  const { headers, core, onUse } = worker.SHELL;
  const files = { ...core, ...onUse };
  const { scope } = worker.registration;
  const CACHE = `thistledown-shell ${scope}`;
  const CATALOGUE = `${scope}models/catalogue.json`;
  /** Few, so that what the page itself asks for meanwhile goes first. */
  const LANES = 2;
  /** How long a silent server is waited for where an earlier list of models is kept. */
  const PATIENCE_MS = 4000;
  /** What a response says of the body that travelled, which is not the one that is kept. */
  const OF_TRAVEL = ['content-encoding', 'content-length', 'vary'];

  /** The server has another file there than this version: it cannot be mended from the network. */
  class OtherVersionError extends Error {}

  /** @param {string} path */
  const keyOf = (path) => `${scope}${path}?${files[path]}${headers}`;

  /** @param {string} address of a page, a file or an entry @returns {string} its path from the site's folder, or the whole */
  const pathOf = (address) => address.replace(/[?#].*/s, '').replace(scope, '');

  /** @param {string} path @returns {string | undefined} as the list has it; a folder is its start page */
  const listed = (path) =>
    [path, `${path}index.html`, `${path}.html`].find((name) => Object.hasOwn(files, name));

  /** @param {string} path @returns {string} the same for what is kept together: all texts of a language */
  const bundle = (path) => path.replace(/^app\/texts\/(.*\/)?/, 'app/texts/');

  /** @param {ArrayBuffer} bytes */
  async function hash(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return btoa(String.fromCharCode(...digest.subarray(0, 12)));
  }

  /** Made anew, as a page must not be given an answer that was redirected. @param {ArrayBuffer} bytes @param {Headers} said */
  function response(bytes, said) {
    const fields = [...said].filter(([name]) => !OF_TRAVEL.includes(name));
    return new Response(bytes, { headers: fields });
  }

  /** @param {string} path @returns {Promise<Response>} over the network, checked, and kept if there is room */
  async function bring(path) {
    const { answer, bytes } = await download(path);
    await keep(path, response(bytes, answer.headers)).catch(() => undefined);
    return response(bytes, answer.headers);
  }

  /** @param {string} path */
  async function download(path) {
    const answer = await fetch(scope + path, { cache: 'no-cache' });
    const bytes = await answer.arrayBuffer();
    if (answer.status >= 500) throw new Error(`${path}: ${answer.status}`);
    if (!answer.ok || (await hash(bytes)) !== files[path]) throw new OtherVersionError(path);
    return { answer, bytes };
  }

  /** @param {string} path @param {Response} content @throws where the browser refuses */
  async function keep(path, content) {
    await (await caches.open(CACHE)).put(keyOf(path), content);
  }

  /** @param {string} path @returns {Promise<Response | null>} null where it is not kept whole */
  async function kept(path) {
    const found = await (await caches.open(CACHE)).match(keyOf(path));
    if (found === undefined) return null;
    const bytes = await found.arrayBuffer();
    return (await hash(bytes)) === files[path] ? response(bytes, found.headers) : null;
  }

  /** @param {string} path @param {boolean} navigates @returns {Promise<Response>} */
  async function answer(path, navigates) {
    try {
      return (await kept(path).catch(() => null)) ?? (await bring(path));
    } catch (error) {
      if (!(error instanceof OtherVersionError)) return Response.error();
      await worker.registration.unregister(); // the next visit takes the server's version, whole
      return navigates ? new Response('', { headers: { refresh: '0' } }) : Response.error();
    }
  }

  /** The list of models: the server's, else the last one. @returns {Promise<Response>} */
  async function catalogue() {
    const cache = await caches.open(CACHE).catch(() => null);
    const last = await cache?.match(CATALOGUE).catch(() => undefined);
    const signal = last && AbortSignal.timeout(PATIENCE_MS);
    try {
      const fresh = await fetch(CATALOGUE, { cache: 'no-cache', signal });
      const copy = fresh.clone();
      await fresh.clone().json(); // else it is cut, or the page of a captive portal
      if (fresh.ok) await cache?.put(CATALOGUE, copy).catch(() => undefined);
      return fresh.ok ? fresh : (last ?? fresh);
    } catch (error) {
      if (last) return last;
      throw error;
    }
  }

  /** All files that pages may need, and those that an earlier version was asked for. */
  async function install() {
    const cache = await caches.open(CACHE);
    const entries = (await cache.keys()).map(({ url }) => url);
    const known = entries.map(pathOf).map(bundle);
    const asked = (/** @type {string} */ path) => path in core || known.includes(bundle(path));
    const wanted = Object.keys(files).filter((path) => !entries.includes(keyOf(path)) && asked(path));
    await bringAll(wanted);
    await catalogue().catch(() => undefined);
  }

  /** @param {string[]} paths @throws where one cannot be had or kept */
  async function bringAll(paths) {
    const rest = paths.values();
    const lane = async () => {
      for (const path of rest) {
        const { answer, bytes } = await download(path);
        await keep(path, response(bytes, answer.headers));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** What other versions had. One that is being installed counts on what it has brought, and tidies later. */
  async function tidy() {
    if (worker.registration.installing) return;
    const cache = await caches.open(CACHE);
    const own = new Set([CATALOGUE, ...Object.keys(files).map(keyOf)]);
    const old = (await cache.keys()).filter(({ url }) => !own.has(url));
    await Promise.all(old.map((request) => cache.delete(request)));
  }

  /** Only for the last page of the old version: others must not be given files of the new one. @param {Told} event */
  async function takeOver({ source }) {
    const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (pages.length > 1) source.postMessage({ others: pages.length - 1 });
    else await worker.skipWaiting();
  }

  /** @param {string[]} addresses */
  async function keepUsed(addresses) {
    const used = addresses.map((address) => listed(pathOf(address)) ?? '').map(bundle);
    const paths = Object.keys(files).filter((path) => used.includes(bundle(path)));
    for (const path of paths) if (!(await kept(path))) await bring(path);
  }

  /** @param {Told} event */
  async function obey(event) {
    const { keep: used, takeOver: asked, forget } = event.data;
    if (used) await keepUsed(used);
    if (asked) await takeOver(event);
    if (forget) await Promise.all([worker.registration.unregister(), caches.delete(CACHE)]);
  }

  worker.addEventListener('install', (/** @type {Lasting} */ event) => event.waitUntil(install()));
  worker.addEventListener('activate', (/** @type {Lasting} */ event) => event.waitUntil(tidy()));
  worker.addEventListener('message', (/** @type {Told} */ event) => event.waitUntil(obey(event)));
  worker.addEventListener('fetch', (/** @type {Asked} */ event) => {
    const { request } = event;
    if (request.method !== 'GET' || request.headers.has('range')) return;
    const path = pathOf(request.url);
    const file = listed(path);
    if (file !== undefined) event.respondWith(answer(file, request.mode === 'navigate'));
    else if (scope + path === CATALOGUE) event.respondWith(catalogue());
  });
}
