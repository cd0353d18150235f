import { type ShallowRef, shallowRef } from "vue";
import type { OpenWish } from "./playground.js";

/** What the next comparison is with, when another view has chosen it: a file that was just written, say. */
const wish: ShallowRef<OpenWish | undefined> = shallowRef();

/** The wish of other views to compare with something. */
export const useOther = (): ShallowRef<OpenWish | undefined> => wish;
