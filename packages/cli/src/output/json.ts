import { Batch } from "./batch.js";
import type { Screen } from "./screen.js";

/**
 * Writes an object as JSON: one line an item of its lists, so that it can be read, compared and searched by lines, and so that
 * a list of any length never has to be one string.
 */
export function writeJson(screen: Screen, value: object): void {
  const out = new Batch(screen);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  for (const [index, [key, entry]] of entries.entries()) {
    out.add(`${index === 0 ? "{" : ","}\n  ${JSON.stringify(key)}: `);
    if (!Array.isArray(entry) || entry.length === 0) out.add(JSON.stringify(entry));
    else for (const [at, item] of entry.entries()) out.add(`${at === 0 ? "[" : ","}\n    ${JSON.stringify(item)}`);
    if (Array.isArray(entry) && entry.length > 0) out.add("\n  ]");
  }
  out.add(`${entries.length === 0 ? "{" : "\n"}}\n`);
  out.flush();
}
