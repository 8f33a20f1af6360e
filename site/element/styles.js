/** The element's own styles: a sheet of its shadow root, as policies forbid styles in markup. Pages set its custom properties. */

const RULES = `
:host {
  display: flex; flex-direction: column; gap: 0.75rem; max-width: 42rem; color-scheme: light dark;
  font: var(--thistledown-font, 1rem/1.5 system-ui, sans-serif);
  color: var(--thistledown-ink, light-dark(#211d26, #ece8f0));
}
[hidden] { display: none !important; }
[role="log"] { max-height: 24rem; overflow-y: auto; overflow-wrap: anywhere; white-space: pre-wrap; }
[role="log"]:empty { display: none; }
.message { padding: 0.4rem 0; }
.who { font-weight: 600; }
.user { color: var(--thistledown-soft, light-dark(#5d5666, #b0a7bb)); }
p { margin: 0; font-size: 0.9em; color: var(--thistledown-soft, light-dark(#5d5666, #b0a7bb)); }
p.problem { color: var(--thistledown-bad, light-dark(#a02c1c, #ffab9b)); }
progress { width: 100%; accent-color: var(--thistledown-accent, light-dark(#66399b, #c7a6ee)); }
form { display: flex; flex-direction: column; gap: 0.4rem; }
label { font-weight: 600; }
textarea {
  font: inherit; color: inherit; background: transparent; padding: 0.5rem; resize: vertical;
  border: 1px solid #857b90; border-radius: 0.5rem;
}
.buttons { display: flex; gap: 0.5rem; }
button {
  font: inherit; font-weight: 600; padding: 0.5rem 1rem; min-height: 2.75rem; align-self: start;
  border: 0; border-radius: 0.5rem; cursor: pointer;
  color: var(--thistledown-on-accent, light-dark(#ffffff, #1c1226));
  background: var(--thistledown-accent, light-dark(#66399b, #c7a6ee));
}
button:disabled { opacity: 0.5; cursor: default; }
:focus-visible { outline: 3px solid var(--thistledown-accent, light-dark(#66399b, #c7a6ee)); outline-offset: 2px; }
`;

/** @type {CSSStyleSheet | null} one for all elements of the page */
let made = null;

/** @returns {CSSStyleSheet} */
export function sheet() {
  if (made) return made;
  made = new CSSStyleSheet();
  made.replaceSync(RULES);
  return made;
}
