/** A database of the browser, opened for one use: requests as promises. */

/**
 * @param {string} name
 * @param {(database: IDBDatabase) => void} make its stores, the first time
 * @returns {Promise<IDBDatabase>} rejected where the browser has no databases, or refuses
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
    return database && (await use(database.transaction(store, 'readwrite').objectStore(store)));
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
