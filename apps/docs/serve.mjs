// Serves the built site for the tests: `node serve.mjs PORT`, with `--open` without the headers that isolate a page.
import { serveSite } from "../../scripts/lib/site-server.mjs";

const port = Number(process.argv[2]);
const site = await serveSite({ port, isolated: !process.argv.includes("--open") });
if (site.port !== port) throw new Error(`Port ${port} is taken.`);
