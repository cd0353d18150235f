import { BUNDLES } from "./scripts/bundles.mjs";

const LOADED = ".cache/bundles";

export default BUNDLES.flatMap(({ file, name, limit, limitOfAll }) => [
  { name, path: `${LOADED}/${file}/first/*.js`, limit, gzip: true },
  ...(limitOfAll
    ? [{ name: `${name}: with all that may come later`, path: `${LOADED}/${file}/*/*.js`, limit: limitOfAll, gzip: true }]
    : []),
]);
