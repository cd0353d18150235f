import { type Ref, ref, watch } from "vue";
import type { Origin } from "../engine/sessions.js";

/** The parts of the page's address that belong to the playground; each empty when it says nothing. */
export const PLACE_KEYS = ["url", "sample", "view", "tensor", "filter", "sort", "mode", "slice", "other"] as const;

/** One of {@link PLACE_KEYS}. */
export type PlaceKey = (typeof PLACE_KEYS)[number];

/** What the page's address says: where one is, so that a link or a reload leads there again. */
export interface Place extends Record<PlaceKey, Ref<string>> {
  /** Reads the address; called once the page is in a browser. */
  restore(): void;
  /** Forgets what belongs to one file: before another one is shown in its stead. */
  leave(): void;
  /** Writes what was opened, or clears it. What cannot be shared is not written. */
  opened(origin: Origin | undefined): void;
  /** Why the address cannot be shared; empty when it can. */
  readonly obstacle: Ref<string>;
}

/** Makes the page's place. It writes to the address by replaceState, so that Back leaves the playground. */
export function createPlace(): Place {
  const refs: Record<PlaceKey, Ref<string>> = {
    url: ref(""),
    sample: ref(""),
    view: ref(""),
    tensor: ref(""),
    filter: ref(""),
    sort: ref(""),
    mode: ref(""),
    slice: ref(""),
    other: ref(""),
  };
  const obstacle = ref("");
  let isRestored = false;

  const write = (): void => {
    if (!isRestored) return;
    const address = new URL(window.location.href);
    const isShared = refs.url.value !== "" || refs.sample.value !== "";
    for (const key of PLACE_KEYS) {
      const { value } = refs[key];
      if (value !== "" && isShared) address.searchParams.set(key, value);
      else address.searchParams.delete(key);
    }
    // Slashes and colons are allowed in a query, and an address that can be read is easier to trust.
    address.search = address.search.replace(/%2F/g, "/").replace(/%3A/g, ":");
    if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address);
  };
  watch(Object.values(refs), write);

  return {
    ...refs,
    obstacle,
    restore() {
      const { searchParams } = new URL(window.location.href);
      for (const key of PLACE_KEYS) refs[key].value = searchParams.get(key) ?? "";
      isRestored = true;
    },
    leave() {
      for (const key of ["tensor", "filter", "sort", "slice", "other"] as const) refs[key].value = "";
    },
    opened(origin) {
      refs.url.value = origin?.kind === "address" && !origin.hasSecret ? origin.address : "";
      refs.sample.value = origin?.kind === "sample" ? origin.sample : "";
      obstacle.value = obstacleOf(origin);
      if (!origin) for (const key of ["view", "tensor", "filter", "sort", "mode", "slice", "other"] as const) refs[key].value = "";
      write();
    },
  };
}

function obstacleOf(origin: Origin | undefined): string {
  if (origin?.kind === "local")
    return "This file is on your machine only: nobody else could open it from a link. Nothing of it was uploaded.";
  if (origin?.kind === "address" && origin.hasSecret) return "The address holds a signature or a password, which a link would give away.";
  return "";
}
