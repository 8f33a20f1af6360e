/** How much room the browser gives this site. What it says is a hint: only writing shows the truth. */

/** @returns {Promise<{ used: number, allowed: number } | null>} bytes; null where the browser does not say */
export async function estimateRoom() {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return usage === undefined || !quota ? null : { used: usage, allowed: quota };
  } catch {
    return null;
  }
}
