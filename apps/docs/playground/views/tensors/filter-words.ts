/** The words of a filter's text. */
const wordsOf = (filter: string): string[] => filter.split(/\s+/).filter(Boolean);

/** What stands behind a prefix such as `dtype:` in a filter; empty where there is no such word. */
export function wordOf(filter: string, prefix: string): string {
  const word = wordsOf(filter).find((each) => each.startsWith(prefix));
  return word?.slice(prefix.length) ?? "";
}

/**
 * A filter with another value behind a prefix; an empty value takes the word out.
 *
 * @example withWord("attn dtype:F32", "dtype:", "BF16") // "attn dtype:BF16"
 */
export function withWord(filter: string, prefix: string, value: string): string {
  const words = wordsOf(filter);
  const at = words.findIndex((word) => word.startsWith(prefix));
  const next = value === "" ? [] : [prefix + value];
  words.splice(at < 0 ? words.length : at, at < 0 ? 0 : 1, ...next);
  return words.join(" ");
}

/** A list such as F32,BF16 with one member more or less. */
export function toggled(list: string, member: string): string {
  const members = list.split(",").filter(Boolean);
  const others = members.filter((each) => each !== member);
  return (others.length === members.length ? [...members, member] : others).join(",");
}
