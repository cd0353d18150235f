import { fileURLToPath } from "node:url";

/** A path below the root of the repository. */
export const inRepository = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
