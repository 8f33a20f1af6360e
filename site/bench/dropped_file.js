/** A file that is dropped anywhere on the page; without this the browser would leave the page for it. */

/** @param {(file: File) => unknown} take */
export function onDroppedFile(take) {
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) take(file);
  });
}
