/** `?backend=webgpu` or `?backend=wasm` in a page's address says what computes, whatever this device would be given. */

const wanted = new URLSearchParams(location.search).get('backend');
if (wanted !== null) Object.assign(globalThis, { thistledownBackend: wanted });
