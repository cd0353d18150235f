import { createStore, get, set } from "idb-keyval";
import { type Ref, ref } from "vue";
import { filesOfHandle } from "./picked-files.js";
import type { OpenWish } from "./playground.js";

/** Something that was opened lately. Handles of files are the browser's own; the file itself is not kept. */
export interface RecentItem {
  readonly id: string;
  readonly label: string;
  readonly about: string;
  readonly openedAt: number;
  readonly address?: string | undefined;
  readonly handle?: FileSystemFileHandle | FileSystemDirectoryHandle | undefined;
}

/** What Chromium's handles can do besides, where files come from a person's own folders. */
interface AskableHandle {
  requestPermission?(options: { mode: "read" }): Promise<PermissionState>;
}

const KEPT = 10;
const KEY = "recent";

/** The list of what was opened lately, kept in this browser only. */
export interface RecentItems {
  readonly items: Ref<readonly RecentItem[]>;
  load(): Promise<void>;
  add(item: Omit<RecentItem, "id" | "openedAt">): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Makes the list. Browsers that keep nothing (private windows) have an empty one. */
export function createRecentItems(): RecentItems {
  const items = ref<readonly RecentItem[]>([]);
  const store = (): ReturnType<typeof createStore> => createStore("ckptkit-playground", "items");
  const save = async (next: readonly RecentItem[]): Promise<void> => {
    items.value = next;
    // The list is a convenience: where it cannot be kept, the page works as well.
    await set(KEY, next, store()).catch(() => undefined);
  };
  return {
    items,
    async load() {
      items.value = (await get<readonly RecentItem[]>(KEY, store()).catch(() => undefined)) ?? [];
    },
    async add(item) {
      const id = item.address ?? `file:${item.label}`;
      await save([{ ...item, id, openedAt: Date.now() }, ...items.value.filter((other) => other.id !== id)].slice(0, KEPT));
    },
    async remove(id) {
      await save(items.value.filter((item) => item.id !== id));
    },
  };
}

/** What opens an item again; undefined when the person does not allow the file to be read. */
export async function wishOf({ label, address, handle }: RecentItem): Promise<OpenWish | undefined> {
  if (address !== undefined) return { label, request: { kind: "address", address } };
  if (!handle) return undefined;
  // The DOM's types do not have this method of Chromium's yet.
  const askable = handle as AskableHandle;
  if (askable.requestPermission && (await askable.requestPermission({ mode: "read" })) !== "granted") return undefined;
  return { label, handle, request: { kind: "files", files: await filesOfHandle(handle) } };
}
