/** What this site has noted in the browser's small store: language, theme, the speed of the last download. */

const PREFIX = 'thistledown-';

/** @returns {string[]} their names; none where the browser keeps nothing */
export function settingNames() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

export function forgetSettings() {
  for (const name of settingNames()) localStorage.removeItem(name);
}
