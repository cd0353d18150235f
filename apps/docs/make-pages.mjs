// Makes the pages that come from the code: the API, the command, templates, the changelog. The build begins with it.
import { bundled } from "./bundled.mjs";

const { makePages } = await bundled("make-pages");
await makePages();
