/** A run of a remote file's bytes that is kept: [start, end). */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** A version of a remote file, of which some bytes are kept. */
export interface KeptFile {
  /** A hash: names nothing. */
  readonly id: string;
  readonly bytes: number;
  /** When it was opened last, in milliseconds since 1970. */
  readonly usedAt: number;
}

/**
 * Where extents of remote files are kept. Nothing here is relied upon: other tabs write and remove beside this one, and the browser may
 * clear everything; what is not whole is not there.
 */
export interface BlockStore {
  /** What is kept of a file; notes that it is in use now. */
  open(id: string): Promise<Extent[]>;
  /** The bytes [from, to) of an extent; undefined when it is not there, or not whole. */
  read(id: string, extent: Extent, from: number, to: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Throws when there is no room, or anything else keeps it from being written. */
  write(id: string, extent: Extent, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Names of all files. */
  ids(): Promise<string[]>;
  /** All files, measured. */
  list(): Promise<KeptFile[]>;
  remove(id: string): Promise<void>;
}

/** The name of an extent's file; its length is checked against it. */
export const extentName = ({ start, end }: Extent): string => `${start}-${end}`;

/** The extent of a name; undefined for another name. */
export function parseExtent(name: string): Extent | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(name);
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  return Number.isSafeInteger(end) && start < end ? { start, end } : undefined;
}
