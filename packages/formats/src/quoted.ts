/** Characters of a name that a message shows. */
const MOST_CHARACTERS = 200;

/** A name from a file in quotes, as it stands in messages: escaped, and cut off where it is very long. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}...` : name);
}
