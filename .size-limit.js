import { BUNDLES } from "./scripts/bundles.mjs";

export default BUNDLES.map(({ file, name, limit }) => ({ name, path: `.cache/bundles/${file}.js`, limit, gzip: true }));
