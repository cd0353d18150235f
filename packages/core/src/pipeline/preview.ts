/** Characters of a configuration that an error shows. */
const PREVIEW_CHARACTERS = 200;

/** Names under which credentials are given. */
const SECRET_NAME = /secret|password|passwd|token|credential|authorization|cookie|signature|(?:access|api|private|shared|account)[-_]?key/i;

/**
 * A configuration as an error may show it: at most 200 characters, and nothing that may be a credential: no values of options whose
 * names say so, no user names, passwords or queries of addresses.
 *
 * @example preview({ source: "s3", secretAccessKey: "..." }) // '{"source":"s3","secretAccessKey":"***"}'
 */
export function preview(value: unknown): string {
  const text = JSON.stringify(value, (key, member: unknown) => {
    if (SECRET_NAME.test(key)) return "***";
    return typeof member === "string" ? withoutCredentials(member) : member;
  });
  const shown = text ?? String(value);
  return shown.length <= PREVIEW_CHARACTERS ? shown : `${shown.slice(0, PREVIEW_CHARACTERS - 3)}...`;
}

function withoutCredentials(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return text.replace(/^([^/]*\/\/)[^/?#]*@/, "$1***@").replace(/\?.*$/s, "?...");
}
