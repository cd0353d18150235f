/** What an address is, as far as the page can tell while it is typed. */
export interface TypedAddress {
  readonly kind: "web" | "hugging-face" | "s3" | "other" | "none";
  /** The address to open. */
  readonly address: string;
}

/** The pages of a file or repository on the Hub: what people copy from the browser. */
const HUB_PAGE =
  /^https?:\/\/(?:www\.)?huggingface\.co\/(datasets\/|spaces\/)?([\w.-]+\/[\w.-]+)(?:\/(?:blob|resolve|tree)\/([^/?#]+)(?:\/([^?#]+))?)?\/?(?:[?#].*)?$/i;

/**
 * Understands what a person types: a URL, a page of the Hugging Face Hub, `owner/name`, `hf://...`, `s3://...`.
 *
 * @example typedAddress("openai-community/gpt2").address // "hf://openai-community/gpt2"
 */
export function typedAddress(text: string): TypedAddress {
  const trimmed = text.trim();
  if (trimmed === "") return { kind: "none", address: "" };
  const [, kind = "", repository, revision, path] = HUB_PAGE.exec(trimmed) ?? [];
  if (repository !== undefined) {
    const at = revision === undefined || revision === "main" ? "" : `@${revision}`;
    return { kind: "hugging-face", address: `hf://${kind}${repository}${at}${path === undefined ? "" : `/${decodeURI(path)}`}` };
  }
  if (/^hf:\/\//i.test(trimmed)) return { kind: "hugging-face", address: trimmed };
  if (/^s3a?:\/\//i.test(trimmed)) return { kind: "s3", address: trimmed };
  if (/^https?:\/\//i.test(trimmed)) return { kind: "web", address: trimmed };
  if (/^[\w.-]+\/[\w.-]+(?:@[\w.-]+)?(?:\/[\w./ -]+)?$/.test(trimmed) && !/^[\w-]+\.(?:com|org|net|io|dev|co)\//i.test(trimmed)) {
    return { kind: "hugging-face", address: `hf://${trimmed}` };
  }
  if (/^[\w-]+(?:\.[\w-]+)+(?::\d+)?\//.test(trimmed)) return { kind: "web", address: `https://${trimmed}` };
  return { kind: /^[a-z][a-z0-9+.-]*:/i.test(trimmed) ? "other" : "none", address: trimmed };
}
