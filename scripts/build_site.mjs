/**
 * Writes site/built: the scripts and styles of the site as visitors fetch them. Then `scripts.make_pages` links pages to them.
 *
 *     node scripts/build_site.mjs [site folder]      # or: make site
 *
 * A page has a script of its own, two that it shares with others and those of the forms that it has, so that over
 * HTTP/1.1, too, it has all of them in two rounds of requests. Where a page and its workers need the same module, each has it in its own script: a
 * round of requests costs more than its bytes. What is imported only when it is needed stays a file of its own, under
 * the name of its source.
 */

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { minify } from 'terser';

const ROOT = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'site'));
const BUILT = path.join(ROOT, 'built');
const DOOR = 'engine/index.js';
const FRAME = 'app/offline.js';
const CLASSIC = ['app/preferences.js', 'service_worker.js'];
const WITHOUT_WEBGPU = 'engine/wasm';
/** What others import: pages of any site, and the command that measures. */
const DOORS = ['element/index.js', 'bench/ours.js'];
/** What nearly all pages need, and what several do. */
const SHARED = ['frame', 'panel'];
/** Modules of so many pages are in the script that every page loads. */
const NEARLY_ALL = 7;
/** A module that looks for its elements at once comes only with pages that have them. */
const OF_A_FORM = /^(?:export )?const \w+ = byId\(/m;
const SCRIPT = /<script type="module" src="([^"]+)"><\/script>/g;
const TEXT_IN_STYLE = /("[^"]*")/;
const ERROR_CLASS = /\bclass (\w+) extends (\w*Error) \{/g;

/** @param {string} file @returns {string} its path in the site, with slashes */
const inSite = (file) => path.relative(ROOT, file).replaceAll(path.sep, '/');

/** What was built, by its path in the site. @type {Map<string, string>} */
const files = new Map();

/** Minified code has other names for classes, but errors tell theirs. @type {import('rollup').Plugin} */
const namedErrors = {
  name: 'named errors',
  transform: (code, file) =>
    /errors?\.js$/.test(file) ? { code: code.replace(ERROR_CLASS, "class $1 extends $2 { static name = '$1';"), map: null } : null,
};

/**
 * @param {string[]} inputs
 * @param {object} [options]
 * @param {import('rollup').GetManualChunk} [options.manualChunks]
 * @param {(name: string) => string} [options.named] where a script lies that is loaded when it is needed
 */
async function build(inputs, { manualChunks, named = (name) => name } = {}) {
  const bundle = await rollup({
    input: inputs.map((name) => path.join(ROOT, name)),
    external: (id) => id.endsWith(`/${DOOR}`) && !inputs.includes(DOOR),
    preserveEntrySignatures: 'allow-extension',
    plugins: [namedErrors],
    onwarn: ({ message }) => { throw new Error(message); },
  });
  const { output } = await bundle.generate({
    dir: BUILT,
    manualChunks,
    entryFileNames: ({ facadeModuleId }) => inSite(/** @type {string} */ (facadeModuleId)),
    chunkFileNames: ({ name, moduleIds }) => (SHARED.includes(name) ? `app/${name}.js` : named(inSite(/** @type {string} */ (moduleIds.at(-1))))),
  });
  for (const file of output) if (file.type === 'chunk') await write(file);
}

/** @param {import('rollup').OutputChunk} chunk */
async function write({ fileName, code }) {
  const small = await minified(code, true);
  if ((files.get(fileName) ?? small) !== small) throw new Error(`${fileName} is written by two builds: give that of one another name`);
  files.set(fileName, small);
}

/** @param {string} code @param {boolean} module */
async function minified(code, module) {
  const { code: small } = await minify(code, { module, ecma: 2022, compress: { passes: 3, keep_fargs: false }, format: { comments: /@license|^!/ } });
  return `${small}\n`;
}

/** @param {string} css @returns {string} without comments and white space, texts aside */
function smallStyle(css) {
  const parts = css.replace(/\/\*.*?\*\//gs, '').split(TEXT_IN_STYLE);
  const small = parts.map((part, i) => (i % 2 === 1 ? part : part.replace(/\s+/g, ' ').replace(/ ?([{};,]) ?/g, '$1').replace(/: /g, ':')));
  return `${small.join('').replaceAll(';}', '}').trim()}\n`;
}

/** Puts what was built in the place of the last build, whole. */
async function save() {
  const fresh = `${BUILT}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const [name, content] of files) {
    const file = path.join(fresh, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await rm(BUILT, { recursive: true, force: true });
  await rename(fresh, BUILT);
}

/** @param {string} ending @returns {Promise<string[]>} paths in the site */
async function sources(ending) {
  const names = await readdir(ROOT, { recursive: true });
  return names.map((name) => name.replaceAll(path.sep, '/')).filter((name) => name.endsWith(ending) && !/^built\b/.test(name)).sort();
}

/** @param {string} page @param {string} html @returns {string[]} its modules */
function scripts(page, html) {
  return [...html.matchAll(SCRIPT)].map(([, src]) => path.posix.join(path.posix.dirname(page), src));
}

/** Which script has the modules of several pages. @type {import('rollup').GetManualChunk} */
function shared(id, { getModuleInfo }) {
  if (getModuleInfo(id)?.isEntry) return undefined;
  const users = new Set([id]);
  for (const user of users) for (const importer of getModuleInfo(user)?.importers ?? []) users.add(importer);
  const entries = [...users].filter((user) => getModuleInfo(user)?.isEntry && inSite(user) !== FRAME).length;
  if (entries >= NEARLY_ALL) return 'frame';
  return entries > 1 && !OF_A_FORM.test(getModuleInfo(id)?.code ?? '') ? 'panel' : undefined;
}

async function main() {
  await build([DOOR]);
  await build(['engine/worker.js']);
  await build([`${WITHOUT_WEBGPU}/worker.js`], {
    named: (name) => (name.startsWith(WITHOUT_WEBGPU) || name.includes('/vendor/') ? name : name.replace('engine', WITHOUT_WEBGPU)),
  });
  const entries = await Promise.all((await sources('.html')).map(async (page) => scripts(page, await source(page))));
  await build([...new Set(entries.flat()), ...DOORS].sort(), { manualChunks: shared });
  for (const name of await sources('.css')) files.set(name, smallStyle(await source(name)));
  for (const name of CLASSIC) files.set(name, await minified(await source(name), false));
  await save();
}

/** @param {string} name @returns {Promise<string>} */
async function source(name) {
  return readFile(path.join(ROOT, name), 'utf8');
}

await main();
