/** Whether page and engine, as a report tells of them, are those that this site has now. */

/**
 * The service worker's script begins with the list of the site's files, each with a part of its hash, as reports have it.
 *
 * @param {import('./size_report.js').SizeReport} report
 * @returns {Promise<boolean | null>} null where the report or the site does not say which version it is
 */
export async function isOfThisSite({ files }) {
  const counted = files.filter(({ content }) => content !== null);
  if (counted.length === 0) return null;
  const response = await fetch('service_worker.js').catch(() => null);
  const list = response?.ok ? await response.text().catch(() => null) : null;
  if (list === null) return null;
  return counted.every(({ file, content }) => list.includes(`"${file.replace('site/', '')}":"${content}"`));
}
