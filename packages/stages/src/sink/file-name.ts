/** The last part of a path or address, decoded and without a query. */
export function fileNameOf(path: string): string {
  const isUrl = /^(?:https?|file):\/\//i.test(path);
  const name = (isUrl ? new URL(path).pathname : path).split(/[/\\]/).at(-1) ?? "";
  return isUrl ? decodeURIComponent(name) : name;
}
