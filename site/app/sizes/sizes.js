/** The Sizes page: what a model costs a visitor, from its size report. Nothing of the model itself is fetched. */

import { fetchCatalogue, pagesFor, SiteError } from '../catalogue.js';
import { button, byId, element } from '../dom.js';
import { emptyNotice } from '../empty_notice.js';
import { formatBytes } from '../format.js';
import { problemPanel } from '../problem_panel.js';
import { text } from '../texts.js';
import { chosenOf, modelList } from './model_list.js';
import { partsView } from './parts_view.js';
import { reportCommand } from './report_command.js';
import { fetchReport, wholeReport } from './report_file.js';
import { rolesView } from './roles_view.js';
import { isOfThisSite } from './site_version.js';
import { sum } from './size_report.js';
import { tiersView } from './tiers_view.js';
import { timesView } from './times_view.js';
import { visitsView } from './visits_view.js';

/** @typedef {import('../catalogue.js').Entry} Entry */

const model = byId('model', HTMLElement);
const trouble = byId('trouble', HTMLElement);
const body = byId('report', HTMLElement);

async function show() {
  trouble.replaceChildren();
  body.hidden = true;
  await showModel().catch((error) => trouble.replaceChildren(problemPanel(error, show)));
  model.removeAttribute('aria-busy');
}

async function showModel() {
  const entries = await fetchCatalogue();
  const { entry, stray } = chosenOf(entries);
  if (entry === undefined) {
    model.replaceChildren(element('div', { class: 'notice' }, ...emptyNotice(entries)));
    return;
  }
  const note = stray === null ? [] : [element('p', { class: 'note' }, text('models.stray', { url: stray }))];
  model.replaceChildren(...note, modelList(entries, entry));
  await showReport(entry);
}

/** @param {Entry} entry */
async function showReport(entry) {
  try {
    const report = await fetchReport(entry);
    const current = await isOfThisSite(report);
    if (current === false) trouble.replaceChildren(staleNotice(report, entry));
    put('visits', visitsView(report, current));
    put('parts', partsView(report));
    put('roles', ...rolesView(report, entry));
    put('times', ...timesView(report));
    put('tiers', tiersView(report, entry));
    put('more', ...links(entry));
    body.hidden = false;
  } catch (error) {
    if (!(error instanceof SiteError)) throw error;
    trouble.replaceChildren(faultNotice(error, entry));
  }
}

/**
 * @param {string} id
 * @param {...Node} children
 */
function put(id, ...children) {
  byId(id, HTMLElement).replaceChildren(...children);
}

/** @param {Entry} entry */
function links(entry) {
  const whole = wholeReport(entry);
  const [page] = pagesFor(entry);
  return [
    ...(whole === null ? [] : [element('a', { class: 'button', href: whole }, text('sizes.whole'))]),
    ...(page === undefined ? [] : [element('a', { class: 'button quiet', href: page.address }, text('sizes.try'))]),
  ];
}

/**
 * @param {SiteError} error
 * @param {Entry} entry
 */
function faultNotice({ code, what }, entry) {
  const [title, ...remedy] = code === 'SITE_UNREACHABLE' ? unreachable() : unwritten(code, entry);
  return element('section', { class: 'notice' }, element('h2', {}, title), ...remedy, element('p', { class: 'code' }, what));
}

/**
 * @param {import('./size_report.js').SizeReport} report
 * @param {Entry} entry
 */
function staleNotice({ parts }, entry) {
  const size = formatBytes(sum(parts.filter(({ name }) => name === 'program')));
  const [title, what] = [text('sizes.stale'), text('sizes.stale.what', { size })];
  const remedy = [element('p', {}, text('sizes.again')), reportCommand(entry)];
  return element('section', { class: 'notice' }, element('h2', {}, title), element('p', {}, what), ...remedy);
}

/** @returns {[string, ...Node[]]} */
function unreachable() {
  return [text('problem.SITE_UNREACHABLE.title'), element('p', { class: 'row' }, button(text('retry'), show))];
}

/** @param {string} code @param {Entry} entry @returns {[string, ...Node[]]} */
function unwritten(code, entry) {
  const title = text(code === 'SITE_FILE_MISSING' ? 'sizes.missing' : 'sizes.damaged');
  return [title, element('p', {}, text('sizes.again')), reportCommand(entry)];
}

void show();
