/** Files that are dropped anywhere on a page: the page takes them, and the browser does not open them in its place. */

const KINDS = ['dragenter', 'dragover', 'dragleave', 'drop'];

/**
 * @param {HTMLElement} place that shows where they go
 * @param {(files: File[]) => void} take
 */
export function takeDroppedFiles(place, take) {
  for (const kind of KINDS) {
    addEventListener(kind, (event) => {
      const { dataTransfer } = /** @type {DragEvent} */ (event);
      if (!dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      place.classList.toggle('dropping', kind === 'dragenter' || kind === 'dragover');
      if (kind === 'drop') take([...dataTransfer.files]);
    });
  }
}
