import type { Origin } from "../../engine/sessions.js";

/** What is kept of a pipeline between visits. */
export interface KeptDraft {
  readonly text: string;
  readonly file: string;
  readonly variables: { readonly [name: string]: string };
}

const STORAGE_KEY = "ckptkit-playground:pipeline";
const HASH_KEY = "#pipeline=";
/** What stands behind these keys lets others in: such a text stays where it is typed. */
const SECRET = /(?:token|password|secret_?access_?key|access_?key_?id|authorization)["']?\s*:\s*["']?(?!\$\{)[^\s"'#,}]/i;
/** Longer ones are cut off by some programs that links are pasted into. */
const MAX_HASH = 8000;

/** Whether a text may leave the page. */
export const holdsSecret = ({ text, variables }: KeptDraft): boolean =>
  SECRET.test(text) ||
  Object.entries(variables).some(([name, value]) => value !== "" && /TOKEN|PASSWORD|SECRET|ACCESS_KEY|SIGNATURE/i.test(`${name} ${value}`));

/**
 * Writes a draft where it is found again: into the address of the page when what is open can be opened from a link, else into this browser.
 *
 * @returns whether it was kept.
 */
export async function keepDraft(draft: KeptDraft, origin: Origin): Promise<boolean> {
  const isShared = origin.kind === "sample" || (origin.kind === "address" && !origin.hasSecret);
  if (holdsSecret(draft)) {
    setHash("");
    return false;
  }
  const hash = isShared ? HASH_KEY + (await packDraft(draft)) : "";
  setHash(hash.length <= MAX_HASH ? hash : "");
  if (isShared) return true;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(draft));
    return true;
  } catch {
    return false; // private windows keep nothing
  }
}

/** The draft of the page's address, else the one of this browser; undefined when there is none. */
export async function keptDraft(origin: Origin): Promise<KeptDraft | undefined> {
  if (location.hash.startsWith(HASH_KEY)) return unpackDraft(location.hash.slice(HASH_KEY.length));
  if (origin.kind !== "local") return undefined;
  try {
    return asDraft(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "null"));
  } catch {
    return undefined;
  }
}

/** Takes the draft out of the page's address. */
export const forgetHash = (): void => setHash("");

function setHash(hash: string): void {
  if (location.hash === hash || (hash === "" && !location.hash.startsWith(HASH_KEY))) return;
  history.replaceState(history.state, "", `${location.pathname}${location.search}${hash}`);
}

/** A draft as text for an address: compressed, in letters that an address may hold. */
export async function packDraft(draft: KeptDraft): Promise<string> {
  const packed = new Blob([JSON.stringify(draft)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The most that an address may unfold to: a few bytes of it could stand for gigabytes. */
const MAX_TEXT_BYTES = 200_000;

/** The draft that {@link packDraft} made; undefined for anything else. */
export async function unpackDraft(packed: string): Promise<KeptDraft | undefined> {
  try {
    const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
      if (text.length > MAX_TEXT_BYTES) {
        await reader.cancel();
        return undefined;
      }
    }
    return asDraft(JSON.parse(text));
  } catch {
    return undefined; // cut off by whoever passed the link on
  }
}

function asDraft(value: unknown): KeptDraft | undefined {
  if (typeof value !== "object" || value === null || !("text" in value) || typeof value.text !== "string") return undefined;
  const file = "file" in value && typeof value.file === "string" ? value.file.replace(/[^\w.-]/g, "_") : "pipeline.yaml";
  const variables = "variables" in value && typeof value.variables === "object" && value.variables !== null ? value.variables : {};
  const texts = Object.entries(variables).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { text: value.text, file, variables: Object.fromEntries(texts) };
}
