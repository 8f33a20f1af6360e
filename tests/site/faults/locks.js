/** The browser's locks in memory, so that a case's tabs wait for each other and for nobody else. */

export class Locks {
  /** @type {Map<string, { held: string[], waiting: { mode: string, enter: () => void }[] }>} modes by name */
  names = new Map();

  /** @param {string} name @param {{ mode?: string, signal?: AbortSignal, ifAvailable?: boolean }} options @param {Function} work */
  async request(name, { mode = 'exclusive', signal, ifAvailable = false }, work) {
    signal?.throwIfAborted();
    const lock = this.names.get(name) ?? { held: [], waiting: [] };
    this.names.set(name, lock);
    if (lock.waiting.length > 0 || !admits(lock, mode)) {
      if (ifAvailable) return work(null);
      await this.wait(lock, mode, signal);
    } else lock.held.push(mode);
    try {
      return await work({ name, mode });
    } finally {
      lock.held.splice(lock.held.indexOf(mode), 1);
      this.admit(lock);
    }
  }

  wait(lock, mode, signal) {
    return new Promise((resolve, reject) => {
      const waiting = { mode, enter: () => resolve(lock.held.push(mode)) };
      lock.waiting.push(waiting);
      signal?.addEventListener('abort', () => {
        const place = lock.waiting.indexOf(waiting);
        if (place < 0) return;
        lock.waiting.splice(place, 1);
        reject(signal.reason);
        this.admit(lock);
      });
    });
  }

  admit(lock) {
    while (lock.waiting.length > 0 && admits(lock, lock.waiting[0].mode)) lock.waiting.shift().enter();
  }
}

/** Whether somebody may enter beside those who are inside. */
function admits({ held }, mode) {
  return held.length === 0 || (mode === 'shared' && held.every((other) => other === 'shared'));
}
