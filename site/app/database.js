/** A database of the browser, opened for one use. */

/**
 * @param {string} name
 * @param {(database: IDBDatabase) => void} make its stores, the first time
 * @returns {Promise<IDBDatabase>} rejected where the browser refuses
 */
export async function opened(name, make) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => make(request.result);
  return result(request);
}

/**
 * @template T
 * @param {{ database: string, store: string, options?: IDBObjectStoreParameters }} place a database of one store
 * @param {(store: IDBObjectStore) => Promise<T>} use
 * @returns {Promise<T | null>} null where the browser refuses
 */
export async function inStore({ database: name, store, options }, use) {
  const database = await opened(name, (made) => made.createObjectStore(store, options)).catch(() => null);
  try {
    if (database === null) return null;
    const transaction = database.transaction(store, 'readwrite');
    const value = await use(transaction.objectStore(store));
    await new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: resolve, onabort: reject }));
    return value;
  } catch {
    return null;
  } finally {
    database?.close();
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
