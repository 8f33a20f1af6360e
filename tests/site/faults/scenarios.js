/** What a case is made of: visits, and the fault that one of their operations meets. Each says what was wrong, if anything. */

import { heal, keptBytes, visitBystander, withBystander, withVersion, wrongOnRecord } from './judge.js';
import { makeModel } from './models.js';
import { Network } from './network.js';
import { Locks } from './locks.js';
import { PLACES, Visit } from './visit.js';

/** @typedef {{ place: string, shape: string, fault: string, where: string, mode: string, at: number }} Order */
/** @typedef {{ wrong: string[], code: string, met: boolean }} Finding */

const MOST_TABS = 8;
const ROOM_STEP = 10;
/** So many positions are tried even where the store says nothing. */
const LEAST_POSITIONS = 280;

/** @param {boolean} online */
function setOnline(online) {
  Object.defineProperty(navigator, 'onLine', { value: online, configurable: true });
}

/** @param {string} fault neither of the disk nor of the server: what befalls the page @param {Visit} visit */
function befall(fault, visit) {
  if (fault === 'aborted') visit.aborter.abort();
  if (fault === 'paused') {
    visit.gate.pause();
    setTimeout(() => visit.gate.resume(), 1);
  }
  if (fault === 'offline') {
    setOnline(false);
    setTimeout(() => setOnline(true), 1);
  }
  if (fault === 'forgotten') visit.library?.forget(visit.supply.base).catch(() => undefined);
  return null;
}

/** @param {Order} order @param {{ operations: number, met: boolean }} counted @returns what an operation meets */
function meeting({ fault, where, mode, at }, counted) {
  return (place, operation, visit) => {
    if (where !== 'page' && place !== where) return null;
    counted.operations += 1;
    const now = mode === 'lasting' ? counted.operations >= at : counted.operations === at;
    if (!now) return null;
    counted.met = true;
    if (mode === 'death') return visit.die();
    return where === 'page' ? befall(fault, visit) : fault;
  };
}

/** A process of its own, ended: what it has open, others may open. */
function end(...visits) {
  for (const visit of visits) visit.mount.frozen = true;
  setOnline(true);
}

/** One page meets the fault. */
async function single(order) {
  const model = await makeModel(order.shape);
  const kept = PLACES[order.place].make();
  const counted = { operations: 0, met: false };
  const visit = new Visit(model, { place: order.place, kept, meet: meeting(order, counted) });
  const { code, wrong } = await visit.outcome();
  end(visit);
  return { wrong: [...wrong, ...(await heal(model, order.place, kept))], code, met: counted.met };
}

/** A page that brings the second version meets it: what is on record as whole is whole, and then the old one goes. */
async function update(order) {
  const { place, shape } = order;
  const [old, model] = [await makeModel(shape), await makeModel(shape, 2)];
  const kept = await withBystander(old, place);
  const counted = { operations: 0, met: false };
  const visit = new Visit(model, { place, kept, meet: meeting(order, counted) });
  const { code, wrong } = await visit.outcome();
  end(visit);
  await visitBystander(kept, place);
  wrong.push(...(await wrongOnRecord(place, kept, [old, model])), ...(await heal(model, place, kept)));
  return { wrong, code, met: counted.met };
}

/** Two pages at once bring the same; the first meets the fault, the other must not notice. */
async function tabs(order) {
  const model = await makeModel(order.shape);
  return together(order, [model, model]);
}

/** Several pages at once bring the same, and nothing befalls them: every byte comes once. */
async function cold({ place, shape, at }) {
  const model = await makeModel(shape);
  const kept = PLACES[place].make();
  const network = Object.assign(new Network(model.bytes, () => null), { lag: 1 });
  const visits = Array.from({ length: at + 1 }, () => new Visit(model, { place, kept, network }));
  const ends = await Promise.all(visits.map((visit) => visit.outcome()));
  end(...visits);
  const wrong = ends.flatMap((each) => (each.code === 'none' ? each.wrong : [`ended with ${each.code}`]));
  if (network.sent !== model.total) wrong.push(`${at + 1} tabs were sent ${network.sent} of ${model.total} bytes`);
  return { wrong: [...wrong, ...(await heal(model, place, kept))], code: 'none', met: at + 1 < MOST_TABS };
}

/** Two pages at once bring two versions of a model; the first, which began later, meets the fault. */
async function versions(order) {
  const [model, old] = [await makeModel(order.shape, 2), await makeModel(order.shape)];
  return together(order, [model, old]);
}

/** @param {Order} order @param {object[]} models of the page that meets the fault, and of the one that does not */
async function together(order, [model, others]) {
  const { place } = order;
  const kept = PLACES[place].make();
  const counted = { operations: 0, met: false };
  const meet = meeting(order, counted);
  const network = new Network(new Map([...model.bytes, ...others.bytes]), (operation) => meet('network', operation, first));
  const first = new Visit(model, { place, kept, network, meet });
  const second = new Visit(others, { place, kept, network, meet: () => null });
  const ends = await Promise.all([second.outcome(), first.outcome()]);
  end(first, second);
  const wrong = ends.flatMap((each) => each.wrong);
  if (order.where !== 'network' && ends[0].code !== 'none') wrong.push(`the other tab ended with ${ends[0].code}`);
  if (!counted.met && network.sent > onceEach(model, others)) wrong.push(`${network.sent} bytes were sent`);
  wrong.push(...(await wrongOnRecord(place, kept, [model, others])), ...(await heal(model, place, kept)));
  return { wrong, code: ends[1].code, met: counted.met };
}

/** @returns {number} bytes of what either needs */
function onceEach(...models) {
  const sizes = new Map(models.flatMap(({ files }) => files.map((file) => [file.sha256, file.bytes])));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** There is room for so many steps more; two visits go on without it, and once there is room again all is kept. */
async function quota({ place, shape, mode, fault, at }) {
  const [old, model] = [await makeModel(shape), await makeModel(shape, 2)];
  const kept = mode === 'update' ? await withBystander(old, place) : PLACES[place].make();
  const before = kept.used;
  Object.assign(kept, { form: fault, room: before + at * ROOM_STEP });
  const wrong = [];
  let met = false;
  for (const turn of ['first', 'next']) {
    const visit = new Visit(model, { place, kept });
    const { code, wrong: found } = await visit.outcome();
    if (turn === 'first') met = visit.supply.keeping.refusal === 'full' || at < LEAST_POSITIONS;
    if (code !== 'none') found.push(`the ${turn} visit ended with ${code}`);
    const isTold = visit.supply.keeping.refusal === 'full' || keptBytes(kept, model) === model.total;
    if (!isTold) found.push(`the ${turn} visit does not say that not all is kept`);
    wrong.push(...found, ...(await wrongOnRecord(place, kept, [old, model])));
  }
  kept.room = Infinity;
  return { wrong: [...wrong, ...(await heal(model, place, kept))], code: met ? 'full' : 'none', met };
}

/** What each spoilt entry of a store was, and what becomes of it between two visits. */
const SPOILS = {
  gone: () => null,
  empty: () => new Uint8Array(),
  'cut in half': (bytes) => bytes.slice(0, bytes.length >> 1),
  'a bit flipped': (bytes) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)),
  zeros: (bytes) => bytes.map(() => 0),
  ones: (bytes) => bytes.map(() => 1),
  longer: (bytes) => Uint8Array.from([...bytes, 1, 1, 1]),
  'not JSON': () => new TextEncoder().encode('{"turn": 9, "record": [}'),
  'of another kind': () => new TextEncoder().encode('{"turn": 9, "record": {"base": 1, "files": [{"sha256": 3}]}}'),
};

/** The entry `at` of a whole store is spoilt, or with `lasting` all from there on. */
async function spoilt({ place, shape, fault, mode, at }) {
  const model = await makeModel(shape);
  const kept = await withVersion(model, place);
  const spots = kept.spots();
  const chosen = mode === 'lasting' ? spots.slice(at - 1) : spots.slice(at - 1, at);
  for (const spot of chosen) kept.spoil(spot, SPOILS[fault]);
  return { wrong: await heal(model, place, kept), code: 'none', met: at <= spots.length };
}

export const SPOIL_FAULTS = Object.keys(SPOILS);
const SCENARIOS = { single, update, tabs, cold, versions, quota, spoilt };

/** @param {Order & { scenario: string }} order @returns {Promise<Finding>} */
export async function play(order) {
  Object.defineProperty(navigator, 'locks', { value: new Locks(), configurable: true });
  return SCENARIOS[order.scenario](order);
}
