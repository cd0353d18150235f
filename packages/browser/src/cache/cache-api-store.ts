import { type BlockStore, type Extent, extentName, type KeptFile, parseExtent } from "./block-store.js";

/** Entries of the Cache API need addresses: of this host, which cannot exist. @see https://www.rfc-editor.org/rfc/rfc6761#section-6.4 */
const HOST = "https://ckptkit.invalid/";

/** Keeps extents in the Cache API, for browsers whose pages cannot write private files. */
export function cacheApiStore(cacheName: string): BlockStore {
  const open = (): Promise<Cache> => caches.open(cacheName);
  const addressOf = (id: string, name: string): string => `${HOST}${id}/${name}`;
  /** All entries as file and name. */
  const entries = async (cache: Cache): Promise<{ id: string; name: string }[]> =>
    (await cache.keys()).flatMap(({ url }) => {
      const [id, name] = url.slice(HOST.length).split("/");
      return id !== undefined && name !== undefined ? [{ id, name }] : [];
    });

  return {
    async open(id) {
      const cache = await open();
      const extents = (await entries(cache)).flatMap((entry) => (entry.id === id ? (parseExtent(entry.name) ?? []) : []));
      if (extents.length > 0) await cache.put(addressOf(id, "used"), new Response(String(Date.now()))).catch(() => undefined);
      return extents;
    },
    async read(id, extent, from, to) {
      try {
        const blob = await (await (await open()).match(addressOf(id, extentName(extent))))?.blob();
        if (blob?.size !== extent.end - extent.start) return undefined;
        return new Uint8Array(await blob.slice(from - extent.start, to - extent.start).arrayBuffer());
      } catch {
        return undefined;
      }
    },
    async write(id, extent, bytes) {
      const cache = await open();
      await cache.put(addressOf(id, extentName(extent)), new Response(bytes));
      await cache.put(addressOf(id, "used"), new Response(String(Date.now())));
    },
    async ids() {
      return (await entries(await open())).map(({ id }) => id);
    },
    async list() {
      const cache = await open();
      const kept = new Map<string, { bytes: number; usedAt: number }>();
      for (const { id, name } of await entries(cache)) {
        const file = kept.get(id) ?? { bytes: 0, usedAt: 0 };
        const extent: Extent | undefined = parseExtent(name);
        if (extent) file.bytes += extent.end - extent.start;
        else file.usedAt = Number(await (await cache.match(addressOf(id, name)))?.text()) || 0;
        kept.set(id, file);
      }
      return [...kept].map(([id, file]): KeptFile => ({ id, ...file }));
    },
    async remove(id) {
      const cache = await open();
      for (const entry of await entries(cache)) if (entry.id === id) await cache.delete(addressOf(id, entry.name));
    },
  };
}
