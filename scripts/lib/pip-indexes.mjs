// Where pip installs from on this machine, in the order that answers.
import { execFileSync } from "node:child_process";

/** Arguments for `pip install`, from what pip is configured to use: a first index and further ones. */
export function pipIndexes() {
  const extra = get("global.extra-index-url").split(/\s+/).filter(Boolean);
  if (extra.length === 0) return [];
  // Where extra indexes are configured the default one may not answer: the extra ones come first, and by themselves.
  const own = get("global.index-url");
  const [first, ...rest] = own ? [own, ...extra] : extra;
  return ["--index-url", first, ...rest.flatMap((url) => ["--extra-index-url", url])];
}

function get(key) {
  try {
    return execFileSync("python3", ["-m", "pip", "config", "get", key], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    }).trim();
  } catch {
    return "";
  }
}
