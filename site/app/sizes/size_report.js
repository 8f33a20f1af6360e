/** The size report of a model: what exporter/report/report.schema.json says, checked, in the form that the page shows. */

import { SiteError } from '../catalogue.js';
import { text } from '../texts.js';
import { DocumentReader } from './document_reader.js';

/**
 * @typedef {'weights' | 'tokenizer' | 'plan' | 'program' | 'other'} PartName
 * @typedef {{ file: string, role: string, raw: number, travels: number, bits: number | null, visit: boolean, content: string | null }} ReportFile
 * @typedef {{ name: PartName, raw: number, travels: number, files: ReportFile[] }} Part of a first visit
 * @typedef {{ name: string, travels: number, bits: number | null }} Role `bits` for each weight of it
 * @typedef {{ features: string[], memory: Record<string, number> }} Tier
 * @typedef {{ name: string, bitsPerSecond: number }} Network
 * @typedef {Record<string, number>} Seconds by network
 * @typedef {{ travels: number, seconds: Seconds }} Situation of the report's tier
 * @typedef {{ tokens: number, devices: [string, Seconds][] }} FirstResult of the report's tier, after a text of so many tokens
 *
 * @typedef {object} SizeReport
 * @property {string} tier whose plan the visit fetches
 * @property {number} bits for each weight
 * @property {number} firstVisit bytes of bodies
 * @property {number} repeatVisit
 * @property {ReportFile[]} files
 * @property {Part[]} parts of the first visit, the largest first
 * @property {Role[] | null} roles of what the first visit fetches, the largest first; null in a short report
 * @property {Record<string, Tier> | null} tiers null in a short report
 * @property {Network[] | null} networks null in a short report
 * @property {Record<string, Situation>} situations by name; none in a short report
 * @property {FirstResult | null} firstResult null in a short report
 */

const MOST_FILES = 5000;
const MOST_WEIGHTS = 20_000;
const MOST_ROWS = 100;
const MOST_DEVICES = 5;

/** @type {Record<string, PartName>} */
const PARTS = { weights: 'weights', tokenizer: 'tokenizer', manifest: 'plan', plan: 'plan', engine: 'program', page: 'program' };

/**
 * @param {unknown} document
 * @param {string} url where it came from
 * @param {string} name of the model whose report it must be
 * @returns {SizeReport}
 * @throws {SiteError} SITE_FILE_INVALID
 */
export function readReport(document, url, name) {
  const reader = new DocumentReader(document, url);
  if (reader.at('format').text() !== 'thistledown-report' || reader.at('version').size() !== 1) {
    throw new SiteError('SITE_FILE_INVALID', text('sizes.noReport', { url }));
  }
  const other = reader.at('name').text();
  if (other !== name) throw new SiteError('SITE_FILE_INVALID', text('sizes.otherModel', { url, other, name }));
  const files = reader.at('files').list(MOST_FILES).map(readFile);
  const parts = partsOf(files);
  const firstVisit = reader.at('first_visit').size();
  if (sum(parts) !== firstVisit) throw new SiteError('SITE_FILE_INVALID', text('sizes.noSum', { url }));
  const tier = reader.at('tier').text();
  return {
    tier,
    bits: reader.at('bits_per_weight').number(),
    firstVisit,
    repeatVisit: reader.at('repeat_visit').size(),
    files,
    parts,
    roles: readRoles(reader),
    tiers: readTiers(reader.ifAt('tiers')),
    networks: reader.ifAt('networks')?.list(MOST_ROWS).map(readNetwork) ?? null,
    situations: readSituations(reader.ifAt('situations'), tier),
    firstResult: readFirstResult(reader.ifAt('first_result'), tier),
  };
}

/** @param {{ travels: number }[]} things */
export function sum(things) {
  return things.reduce((bytes, { travels }) => bytes + travels, 0);
}

/** @param {DocumentReader} reader @returns {ReportFile} */
function readFile(reader) {
  return {
    file: reader.at('file').text(),
    role: reader.at('role').text(),
    raw: reader.at('raw').size(),
    travels: reader.at('travels').size(),
    bits: reader.ifAt('bits_per_weight')?.number() ?? null,
    visit: reader.at('visit').boolean(),
    content: reader.ifAt('content')?.text() ?? null,
  };
}

/** @param {ReportFile[]} files @returns {Part[]} */
function partsOf(files) {
  const fetched = files.filter(({ visit }) => visit).sort(larger);
  const names = new Set(fetched.map(partOf));
  const parts = [...names].map((name) => {
    const own = fetched.filter((file) => partOf(file) === name);
    return { name, raw: own.reduce((bytes, { raw }) => bytes + raw, 0), travels: sum(own), files: own };
  });
  return parts.sort(larger);
}

/** @param {{ travels: number }} one @param {{ travels: number }} other */
function larger(one, other) {
  return other.travels - one.travels;
}

/** @param {ReportFile} file @returns {PartName} */
function partOf({ role }) {
  return Object.hasOwn(PARTS, role) ? PARTS[role] : 'other';
}

/** @param {DocumentReader} reader @returns {Role[] | null} */
function readRoles(reader) {
  const shares = reader.ifAt('attribution')?.at('by_role').list(MOST_ROWS);
  if (shares === undefined) return null;
  const bits = bitsByRole(reader.ifAt('weights')?.list(MOST_WEIGHTS) ?? []);
  const roles = shares.map((share) => {
    const name = share.at('name').text();
    return { name, travels: share.at('travels').size(), bits: bits.get(name) ?? null };
  });
  return roles.filter(({ travels }) => travels > 0).sort(larger);
}

/** @param {DocumentReader[]} weights @returns {Map<string, number>} */
function bitsByRole(weights) {
  /** @type {Map<string, { bytes: number, count: number }>} */
  const found = new Map();
  for (const weight of weights) {
    const role = weight.at('role').text();
    const { bytes, count } = found.get(role) ?? { bytes: 0, count: 0 };
    found.set(role, { bytes: bytes + weight.at('shipped').size(), count: count + weight.at('parameters').size() });
  }
  return new Map([...found].map(([role, { bytes, count }]) => [role, (8 * bytes) / Math.max(1, count)]));
}

/** @param {DocumentReader | null} reader @returns {Record<string, Tier> | null} */
function readTiers(reader) {
  if (reader === null) return null;
  const tiers = reader.entries(MOST_ROWS).map(([name, tier]) => [name, readTier(tier)]);
  return Object.fromEntries(tiers);
}

/** @param {DocumentReader} reader @returns {Tier} */
function readTier(reader) {
  const uses = reader.at('memory').entries(MOST_ROWS).map(([use, bytes]) => [use, bytes.size()]);
  return { features: reader.at('features').list(MOST_ROWS).map((feature) => feature.text()), memory: Object.fromEntries(uses) };
}

/** @param {DocumentReader} reader @returns {Network} */
function readNetwork(reader) {
  return { name: reader.at('name').text(), bitsPerSecond: Math.max(1, reader.at('bits_per_second').size()) };
}

/** @param {DocumentReader | null} reader @param {string} tier @returns {Record<string, Situation>} */
function readSituations(reader, tier) {
  const found = reader?.list(MOST_ROWS).map((each) => {
    const trip = each.at('tiers').at(tier);
    return [each.at('name').text(), { travels: trip.at('travels').size(), seconds: readSeconds(trip.at('predicted_seconds')) }];
  });
  return Object.fromEntries(found ?? []);
}

/** @param {DocumentReader} reader @returns {Seconds} */
function readSeconds(reader) {
  return Object.fromEntries(reader.entries(MOST_ROWS).map(([network, time]) => [network, time.number()]));
}

/** @param {DocumentReader | null} reader @param {string} tier @returns {FirstResult | null} */
function readFirstResult(reader, tier) {
  if (reader === null) return null;
  const devices = reader.at('tiers').at(tier).at('predicted_seconds').entries(MOST_DEVICES);
  return { tokens: reader.at('tokens').size(), devices: devices.map(([name, times]) => [name, readSeconds(times)]) };
}
