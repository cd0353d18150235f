/** The end of a data file's name: its number, and how many there are. */
const SHARD = /\.data-(\d{5})-of-(\d{5})$/;
const INDEX = ".index";

/** The name of a file without its folder; of an address, decoded. */
export function baseName(name: string): string {
  const base = name.replace(/^.*[/\\]/, "");
  if (!/^https?:/i.test(name)) return base;
  try {
    return decodeURIComponent(base);
  } catch {
    return base;
  }
}

/** Whether a file has the name of a data file. */
export const isShardName = (name: string): boolean => SHARD.test(name);

/** What all files of a checkpoint begin with, by the name of one of them. */
export function prefixOf(name: string): string | undefined {
  const base = baseName(name);
  if (base.endsWith(INDEX)) return base.slice(0, -INDEX.length);
  return SHARD.test(base) ? base.replace(SHARD, "") : undefined;
}

export const indexName = (prefix: string): string => `${prefix}${INDEX}`;

/** The name of data file `shard` of `count`. */
export const shardName = (prefix: string, shard: number, count: number): string =>
  `${prefix}.data-${String(shard).padStart(5, "0")}-of-${String(count).padStart(5, "0")}`;
