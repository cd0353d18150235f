/** One input: a file, and the files that are found beside it. */
export interface FuzzCase {
  /** Name of the file that is opened. */
  readonly main: string;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** The fixture that it began as, where its tensors still have to be those of that fixture or be told to be damaged. */
  readonly truthOf?: string | undefined;
}

/** Bytes of all files together. */
export const bytesOf = ({ files }: FuzzCase): number => [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);

/** The bytes of the file that is opened. */
export const mainOf = ({ main, files }: FuzzCase): Uint8Array<ArrayBuffer> => files.get(main) ?? new Uint8Array(0);

/** The same case with another content of one of its files. */
export const withFile = (from: FuzzCase, name: string, bytes: Uint8Array<ArrayBuffer>): FuzzCase => ({
  ...from,
  files: new Map([...from.files, [name, bytes]]),
});

/** Puts a case into memory that another thread sees. Returns false where there is no room for it. */
export function putCase(target: Uint8Array, { main, files, truthOf }: FuzzCase): boolean {
  const sizes = [...files].map(([name, bytes]) => [name, bytes.length]);
  const head = new TextEncoder().encode(JSON.stringify({ main, truthOf, sizes }));
  const total = 4 + head.length + [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  if (total > target.length) return false;
  new DataView(target.buffer, target.byteOffset).setUint32(0, head.length, true);
  target.set(head, 4);
  let at = 4 + head.length;
  for (const bytes of files.values()) {
    target.set(bytes, at);
    at += bytes.length;
  }
  return true;
}

/** Takes a case out of such memory. */
export function takeCase(source: Uint8Array): FuzzCase {
  const bytes = source.slice();
  const length = new DataView(bytes.buffer).getUint32(0, true);
  // putCase wrote it.
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as {
    main: string;
    truthOf?: string;
    sizes: [string, number][];
  };
  let at = 4 + length;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, size] of head.sizes) {
    files.set(name, bytes.slice(at, at + size));
    at += size;
  }
  return { main: head.main, truthOf: head.truthOf, files };
}
