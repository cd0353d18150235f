import { computed, onActivated, type Ref, ref, type ShallowRef, shallowRef, watch } from "vue";
import { useEngine } from "../../engine/client.js";
import { type EngineError, toEngineError } from "../../engine/errors.js";
import type { SessionId } from "../../engine/sessions.js";
import type { TensorListing, TensorQuery, TensorRow } from "../../engine/tensor-listing.js";
import type { SortKey } from "../../engine/tensor-order.js";
import type { Place } from "../../state/place.js";

/** How the tensors are shown. */
export type TensorMode = "tree" | "flat" | "map";

/** The list of tensors that a person sees: what they asked for, and what the engine found. */
export interface TensorList {
  readonly mode: Ref<TensorMode>;
  readonly query: Readonly<Ref<TensorQuery>>;
  readonly listing: ShallowRef<TensorListing | undefined>;
  /** Why the filter cannot be used. */
  readonly error: ShallowRef<EngineError | undefined>;
  /** Rises with every other listing. */
  readonly version: Ref<number>;
  load(start: number, end: number): Promise<TensorRow[]>;
  /** Sorts by a column; by the same once more, the other way round; and then in file order again. */
  sortBy(key: SortKey): void;
  toggle(row: TensorRow, open: boolean, deep: boolean): Promise<void>;
}

const KEYS: readonly string[] = ["file", "name", "dtype", "shape", "params", "bytes"] satisfies SortKey[];
const isSortKey = (text: string | undefined): text is SortKey => text !== undefined && KEYS.includes(text);
/** Columns that one wants to see from their largest value on. */
const LARGEST_FIRST: readonly SortKey[] = ["params", "bytes", "shape"];

/** Makes the list of a session's tensors. Filter, order and mode are in the page's place. */
export function useTensorList(session: SessionId, place: Place): TensorList {
  const listing: TensorList["listing"] = shallowRef();
  const error: TensorList["error"] = shallowRef();
  const version = ref(0);
  let asked = 0;

  const mode = computed<TensorMode>({
    get: () => (place.mode.value === "flat" || place.mode.value === "map" ? place.mode.value : "tree"),
    set: (next) => {
      place.mode.value = next === "tree" ? "" : next;
    },
  });
  const query = computed((): TensorQuery => {
    const [key, direction] = place.sort.value.split("-");
    const sort = isSortKey(key) ? key : "file";
    return { mode: mode.value === "tree" ? "tree" : "flat", filter: place.filter.value, sort, descending: direction === "down" };
  });

  const show = (next: TensorListing): void => {
    listing.value = next;
    version.value++;
  };
  const list = async (): Promise<void> => {
    const mine = ++asked;
    try {
      const next = await useEngine().tensors.list(session, query.value);
      if (mine !== asked) return;
      error.value = undefined;
      show(next);
    } catch (thrown) {
      if (mine === asked) error.value = toEngineError(thrown);
    }
  };
  watch(query, list, { immediate: true });
  // A scan may have marked tensors while another view was shown.
  onActivated(() => version.value++);

  return {
    mode,
    query,
    listing,
    error,
    version,
    load: (start, end) => useEngine().tensors.rows(session, start, end),
    sortBy(key) {
      const first = LARGEST_FIRST.includes(key) ? "down" : "up";
      const { sort, descending } = query.value;
      if (sort !== key) place.sort.value = `${key}-${first}`;
      else place.sort.value = descending === (first === "down") ? `${key}-${first === "up" ? "down" : "up"}` : "";
    },
    async toggle(row, open, deep) {
      if (row.kind === "module") show(await useEngine().tensors.toggle(session, row.id, open, deep));
    },
  };
}
