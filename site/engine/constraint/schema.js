/**
 * A JSON Schema as a grammar of the documents that it allows. A keyword that the grammar cannot hold to is refused by its
 * name; nothing is passed over but what only describes.
 */

import { SchemaUnsupportedError } from '../errors.js';
import { choice, literal, Rule, sequence } from './expression.js';
import { array, dictionary, exactly, INTEGER, NUMBER, object, SPACE, string, VALUE } from './json_grammar.js';
import { Network } from './network.js';
import { matching } from './pattern.js';

/** @typedef {import('./expression.js').Expression} Expression */
/** @typedef {Record<string, any>} Fields */

const DESCRIBING = [
  '$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples', 'deprecated',
  'readOnly', 'writeOnly',
];
const KEYWORDS = [
  ...DESCRIBING, '$ref', 'anyOf', 'enum', 'const', 'type', 'properties', 'required', 'additionalProperties', 'items',
  'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern',
];
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
/** Says alone what a value is: nothing but descriptions, and `type` beside values, may stand with it. */
const ALONE = ['$ref', 'anyOf', 'enum', 'const'];
const MOST_NESTED = 64;

/** @param {unknown} value @returns {value is Fields} */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {string} part of a reference @returns {string} itself where it is no escaped UTF-8 */
function unescaped(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {unknown} value @param {string} type @returns {boolean} */
function isOfType(value, type) {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return isRecord(value);
  if (type === 'array' || type === 'null') return type === 'array' ? Array.isArray(value) : value === null;
  return typeof value === type;
}

class SchemaReader {
  /** @param {unknown} root */
  constructor(root) {
    this.root = root;
    /** @type {Map<unknown, Rule>} schema -> what it allows, so that a schema may name itself */
    this.rules = new Map();
    this.depth = 0;
  }

  /** @param {string} place @param {string} what @returns {never} */
  refuse(place, what) {
    throw new SchemaUnsupportedError(`The schema at ${place} ${what}`);
  }

  /** @param {unknown} schema @param {string} place @returns {Rule} */
  rule(schema, place) {
    const known = this.rules.get(schema);
    if (known) return known;
    if (++this.depth > MOST_NESTED) this.refuse(place, `is nested more than ${MOST_NESTED} deep`);
    const rule = new Rule();
    if (isRecord(schema)) this.rules.set(schema, rule);
    rule.body = this.read(schema, place);
    this.depth -= 1;
    return rule;
  }

  /** @param {unknown} schema @param {string} place @returns {Expression} */
  read(schema, place) {
    if (typeof schema === 'boolean') return schema ? VALUE : choice();
    if (!isRecord(schema)) return this.refuse(place, 'is neither an object nor true or false');
    const used = Object.keys(schema).filter((key) => schema[key] !== undefined);
    const strange = used.find((key) => !KEYWORDS.includes(key));
    if (strange !== undefined) this.refuse(place, `has the keyword "${strange}", which is not supported`);
    const meaning = used.filter((key) => !DESCRIBING.includes(key));
    const alone = ALONE.find((key) => meaning.includes(key));
    if (alone !== undefined) return this.readAlone(alone, schema, meaning, place);
    return this.readTyped(schema, meaning, place);
  }

  /** @param {string} keyword @param {Fields} schema @param {string[]} used @param {string} place @returns {Expression} */
  readAlone(keyword, schema, used, place) {
    const isValue = keyword === 'enum' || keyword === 'const';
    const beside = used.find((key) => key !== keyword && !(isValue && key === 'type'));
    if (beside !== undefined) this.refuse(place, `has "${beside}" beside "${keyword}", which is not supported`);
    if (keyword === '$ref') return this.readReference(schema.$ref, place);
    if (keyword === 'anyOf') {
      const parts = this.list(schema.anyOf, `${place}/anyOf`);
      return choice(...parts.map((part, i) => this.rule(part, `${place}/anyOf/${i}`)));
    }
    const values = keyword === 'const' ? [schema.const] : this.list(schema.enum, `${place}/enum`);
    const types = this.types(schema.type, place);
    return choice(...values.filter((value) => types.some((type) => isOfType(value, type))).map(exactly));
  }

  /** @param {unknown} value @param {string} place @returns {unknown[]} */
  list(value, place) {
    return Array.isArray(value) ? value : this.refuse(place, 'is not a list');
  }

  /** @param {unknown} type @param {string} place @returns {string[]} all of them where nothing is said */
  types(type, place) {
    if (type === undefined) return TYPES;
    const names = Array.isArray(type) ? type : [type];
    const strange = names.find((name) => !TYPES.includes(name));
    return strange === undefined ? names : this.refuse(place, `has the type ${JSON.stringify(strange)}, which is none`);
  }

  /** @param {unknown} reference @param {string} place @returns {Expression} */
  readReference(reference, place) {
    if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference)) {
      return this.refuse(place, `refers to ${JSON.stringify(reference)}, which is outside of the schema`);
    }
    /** @type {unknown} */
    let found = this.root;
    for (const part of reference.split('/').slice(1)) {
      const key = unescaped(part).replaceAll('~1', '/').replaceAll('~0', '~');
      if (Object(found) !== found || !Object.hasOwn(/** @type {object} */ (found), key)) {
        return this.refuse(place, `refers to ${reference}, which is not there`);
      }
      found = /** @type {Fields} */ (found)[key];
    }
    return this.rule(found, reference);
  }

  /** @param {Fields} schema @param {string[]} used @param {string} place @returns {Expression} */
  readTyped(schema, used, place) {
    if (used.length === 0) return VALUE;
    if (schema.type === undefined) this.refuse(place, `has "${used[0]}" without a "type", which is not supported`);
    return choice(...this.types(schema.type, place).map((type) => this.readType(type, schema, place)));
  }

  /** @param {string} type @param {Fields} schema @param {string} place @returns {Expression} */
  readType(type, schema, place) {
    switch (type) {
      case 'object': return this.readObject(schema, place);
      case 'array': return this.readArray(schema, place);
      case 'string': return this.readString(schema, place);
      case 'number': return NUMBER;
      case 'integer': return INTEGER;
      case 'boolean': return choice(literal('true'), literal('false'));
      default: return literal('null');
    }
  }

  /** @param {Fields} schema @param {string} keyword @param {number} usual @param {string} place @returns {number} */
  count(schema, keyword, usual, place) {
    const value = schema[keyword] ?? usual;
    if (value === usual || (Number.isSafeInteger(value) && value >= 0)) return value;
    return this.refuse(place, `has a "${keyword}" that is not a whole number of 0 or more`);
  }

  /** @param {Fields} schema @param {string} place @returns {Expression} */
  readString(schema, place) {
    const least = this.count(schema, 'minLength', 0, place);
    const most = this.count(schema, 'maxLength', Infinity, place);
    const { pattern } = schema;
    if (pattern === undefined) return string(least, most);
    if (typeof pattern !== 'string') this.refuse(place, 'has a "pattern" that is not a string');
    if (least > 0 || most < Infinity) this.refuse(place, 'has "pattern" beside "minLength" or "maxLength", which is not supported');
    return matching(pattern, (what) => this.refuse(`${place}/pattern`, what));
  }

  /** @param {Fields} schema @param {string} place @returns {Expression} */
  readArray(schema, place) {
    const least = this.count(schema, 'minItems', 0, place);
    const most = this.count(schema, 'maxItems', Infinity, place);
    return array(schema.items === undefined ? VALUE : this.rule(schema.items, `${place}/items`), { least, most });
  }

  /** @param {Fields} schema @param {string} place @returns {Expression} */
  readObject({ properties = {}, required = [], additionalProperties: others }, place) {
    if (!isRecord(properties)) return this.refuse(place, 'has "properties" that are not an object');
    const names = Object.keys(properties);
    const missing = this.list(required, `${place}/required`).find((name) => !names.includes(/** @type {string} */ (name)));
    if (missing !== undefined) this.refuse(place, `requires ${JSON.stringify(missing)}, which is not among its "properties"`);
    if (names.length === 0 && others !== false) return dictionary(this.rule(others ?? true, `${place}/additionalProperties`));
    if (others !== undefined && others !== false) {
      this.refuse(place, 'has "additionalProperties" beside "properties" and not false, which is not supported');
    }
    return object(names.map((name) => ({
      name, value: this.rule(properties[name], `${place}/properties/${name}`), required: required.includes(name),
    })));
  }
}

/**
 * @param {unknown} schema
 * @returns {Network} of the documents that it allows
 * @throws {SchemaUnsupportedError} that names the keyword or the place
 */
export function schemaNetwork(schema) {
  const root = new SchemaReader(schema).rule(schema, '#');
  const network = new Network(new Rule(sequence(SPACE, root)));
  if (!network.isPossible) throw new SchemaUnsupportedError('Nothing can meet the schema');
  return network;
}

/** @returns {Network} of any object */
export function objectNetwork() {
  return new Network(new Rule(sequence(SPACE, dictionary(VALUE))));
}
