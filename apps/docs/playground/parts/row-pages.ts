import { type ShallowRef, shallowRef } from "vue";

/** Rows that are fetched at a time. */
const PAGE_ROWS = 64;
/** Pages that are kept: some screens in both directions. */
const KEPT_PAGES = 24;

/** Rows of a long list, fetched as they come into view and forgotten when they are far. */
export interface RowPages<T> {
  /** Rises when rows have arrived: what reads rows while it draws depends on it. */
  readonly arrived: ShallowRef<number>;
  row(index: number): T | undefined;
  /** Fetches what is missing of [start, end). */
  want(start: number, end: number): void;
  /** Fetches everything anew; what is there is shown until then. */
  renew(): void;
}

/** Makes the pages of a list whose rows `load` gives, [start, end). */
export function createRowPages<T>(load: (start: number, end: number) => Promise<readonly T[]>): RowPages<T> {
  const arrived = shallowRef(0);
  const pages = new Map<number, readonly T[]>();
  /** Pages of an older list, shown until the new ones are there: rows do not flicker when a module opens. */
  let stale = new Map<number, readonly T[]>();
  const loading = new Set<number>();
  let generation = 0;

  const fetchPage = async (page: number): Promise<void> => {
    const mine = generation;
    loading.add(page);
    const rows = await load(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).catch(() => undefined);
    if (mine !== generation) return;
    loading.delete(page);
    if (!rows) return;
    pages.set(page, rows);
    stale.delete(page);
    for (const old of pages.keys()) {
      if (pages.size <= KEPT_PAGES) break;
      pages.delete(old);
    }
    arrived.value++;
  };

  return {
    arrived,
    row(index) {
      const page = Math.floor(index / PAGE_ROWS);
      return (pages.get(page) ?? stale.get(page))?.[index % PAGE_ROWS];
    },
    want(start, end) {
      for (let page = Math.floor(start / PAGE_ROWS); page * PAGE_ROWS < end; page++) {
        const rows = pages.get(page);
        if (rows) {
          pages.delete(page);
          pages.set(page, rows); // used last
        } else if (!loading.has(page)) void fetchPage(page);
      }
    },
    renew() {
      generation++;
      stale = new Map([...stale, ...pages]);
      pages.clear();
      loading.clear();
      for (const old of stale.keys()) {
        if (stale.size <= KEPT_PAGES) break;
        stale.delete(old);
      }
    },
  };
}
