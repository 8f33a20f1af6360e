/** Reads and checks an adapter's manifest.json (exporter/artifact/FORMAT.md), and whether it is for this base. */

import { ManifestInvalidError, OtherBaseError } from '../errors.js';
import { sha256 } from '../hashing.js';
import { JsonReader } from '../json_reader.js';
import { readHash, readName, readPlans, readShard } from '../manifest.js';

/** @typedef {import('../manifest.js').Manifest} Manifest */
/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/**
 * @typedef {object} AdapterManifest
 * @property {string} name
 * @property {{ name: string, weights: string, context: number }} base `weights` is what `weightsOf` makes of its shards
 * @property {number} rank the largest
 * @property {number} parameters
 * @property {ChunkedFile} shard
 * @property {Manifest['plans']} plans
 */

/** @param {unknown} json @param {string} url for messages @returns {AdapterManifest} @throws {ManifestInvalidError} */
export function readAdapterManifest(json, url) {
  const reader = new JsonReader(json, url, (what) => new ManifestInvalidError(what, { url }));
  reader.field('format').oneOf(['thistledown-adapter']);
  reader.field('version').oneOf([1]);
  const base = reader.field('base');
  return {
    name: readName(reader.field('name')),
    base: {
      name: readName(base.field('name')),
      weights: readHash(base.field('weights')),
      context: base.field('context').integer(1),
    },
    rank: reader.field('rank').integer(1),
    parameters: reader.field('parameters').integer(1),
    shard: readShard(reader.field('shard')),
    plans: readPlans(reader.field('plans')),
  };
}

/** @param {Manifest} manifest @returns {Promise<string>} SHA-256 of the SHA-256 of its shards, end to end */
async function weightsOf({ shards }) {
  return sha256(new TextEncoder().encode(shards.map((shard) => shard.sha256).join('')));
}

/**
 * @param {AdapterManifest} adapter
 * @param {Manifest} base
 * @param {import('../manifest.js').Tier} tier that the base is played with
 * @param {string} url of the adapter
 * @throws {OtherBaseError}
 */
export async function expectBase(adapter, base, tier, url) {
  const { name, weights, context } = adapter.base;
  const refuse = (/** @type {string} */ what) => {
    throw new OtherBaseError(`The adapter ${url} was made for ${name}, and ${base.name} has ${what}`, { url, base: name });
  };
  if (weights !== (await weightsOf(base))) refuse('other weights');
  if (context !== base.context) refuse(`a context of ${base.context} tokens, not ${context}`);
  if (!adapter.plans[tier]) refuse(`the tier ${tier}, for which it has no plan`);
}
