/** What kinds of messages and their fields are called on the page. */

/** @type {Record<string, string>} */
const CALLED = {
  invoice: 'Invoice line',
  vat: 'VAT',
  email: 'E-mail',
};

/** @param {string} name of a kind or a field, as the model knows it: `unit_price` */
export function inWords(name) {
  const words = name.replaceAll('_', ' ');
  return CALLED[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
