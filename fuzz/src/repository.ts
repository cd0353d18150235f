import { fileURLToPath } from "node:url";

/** Absolute path of a file of the repository. Bundles run elsewhere, and say in `CKPTKIT_ROOT` where it is. */
export const inRepository = (path: string): string =>
  process.env.CKPTKIT_ROOT ? `${process.env.CKPTKIT_ROOT}/${path}` : fileURLToPath(new URL(`../../${path}`, import.meta.url));
