/**
 * The visitor's language and theme. A classic script, so that both are settled before the first paint; what it decides
 * stands on <html> (`lang`, `data-theme`) for everyone else.
 */
'use strict';
{
  const LANGUAGES = ['en', 'uk', 'pl', 'ru'];
  const THEMES = ['system', 'light', 'dark'];
  /** A page in another language is shown when its words are there, or after this time without them. */
  const PATIENCE_MS = 4000;
  const root = document.documentElement;
  const address = new URL(location.href);
  const { src, dataset } = /** @type {HTMLScriptElement} */ (document.currentScript);

  /** @param {string} name */
  const kept = (name) => {
    try {
      return localStorage.getItem(`thistledown-${name}`);
    } catch {
      return null;
    }
  };

  /** @param {string} name @param {string} value */
  const keep = (name, value) => {
    try {
      localStorage.setItem(`thistledown-${name}`, value);
    } catch {
      // It holds on this page only.
    }
  };

  const language = () => {
    const wished = [address.searchParams.get('lang'), kept('language'), ...navigator.languages];
    return wished.map((tag) => (tag ?? '').split('-')[0].toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? 'en';
  };

  /** @param {string | null} name */
  const showTheme = (name) => {
    const theme = name !== null && THEMES.includes(name) ? name : 'system';
    root.dataset.theme = theme;
    for (const frame of /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll('meta[data-scheme]'))) {
      const { scheme } = frame.dataset;
      if (theme === 'system') frame.media = `(prefers-color-scheme: ${scheme})`;
      else frame.media = theme === scheme ? 'all' : 'not all';
    }
  };

  /** @param {string} tag */
  const addressIn = (tag) => {
    const other = new URL(location.href);
    other.searchParams.set('lang', tag);
    return other.href;
  };

  /** @param {string} path of what modules will read */
  const fetchAhead = (path) => {
    const { href } = new URL(path, src);
    document.head.append(Object.assign(document.createElement('link'), { rel: 'preload', as: 'fetch', crossOrigin: '', href }));
  };

  /** @param {HTMLDetailsElement} settings */
  const connect = (settings) => {
    for (const link of settings.querySelectorAll('a')) {
      if (link.lang === root.lang) link.setAttribute('aria-current', 'true');
      link.addEventListener('click', () => {
        link.href = addressIn(link.lang);
        keep('language', link.lang);
      });
    }
    // Once more when the browser has put back what was chosen when the visitor left the page.
    const show = () => settings.querySelectorAll('input').forEach((choice) => (choice.checked = choice.value === root.dataset.theme));
    show();
    addEventListener('pageshow', show);
    settings.addEventListener('change', ({ target }) => {
      const { value } = /** @type {HTMLInputElement} */ (target);
      showTheme(value);
      keep('theme', value);
    });
    settings.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      settings.open = false;
      settings.querySelector('summary')?.focus();
    });
    addEventListener('click', ({ target }) => {
      if (!settings.contains(/** @type {Node} */ (target))) settings.open = false;
    });
  };

  root.lang = language();
  if (address.searchParams.has('lang')) keep('language', root.lang);
  fetchAhead(`texts/${root.lang}.json`);
  if ('texts' in root.dataset) fetchAhead(`texts/${root.dataset.texts}/${root.lang}.json`);
  if ('models' in dataset) fetchAhead('../models/catalogue.json');
  showTheme(kept('theme'));
  root.toggleAttribute('data-waiting', root.lang !== 'en');
  setTimeout(() => root.removeAttribute('data-waiting'), PATIENCE_MS);
  addEventListener('DOMContentLoaded', () => {
    const settings = document.querySelector('details.settings');
    if (settings instanceof HTMLDetailsElement) connect(settings);
  });
}
