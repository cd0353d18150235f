import { type ByteSource, memorySource } from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/js";
import { type Audit, type AuditOptions, auditSource } from "../src/audit/index.js";

/** Files as attackers build them, in memory. What they name is inert here: nothing is ever run. */

export const ascii = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Parts one after the other; a text is one byte a character. */
export function concat(...parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const arrays = parts.map((part) => (typeof part === "string" ? ascii(part) : part));
  const bytes = new Uint8Array(arrays.reduce((length, { length: more }) => length + more, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.length;
  }
  return bytes;
}

export const little = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => Math.floor(value / 256 ** index) % 256);

/** A string of protocol 4. */
export const text = (value: string): Uint8Array => concat("\x8c", little(value.length, 1), value);
/** Literal bytes. */
export const literal = (bytes: Uint8Array): Uint8Array => concat("B", little(bytes.length, 4), bytes);
/** module.name, called with one text. */
export const callOf = (module: string, name: string): Uint8Array =>
  concat("\x80\x02c", module, "\n", name, "\nX", little(4, 4), "echo\x85R.");
/** What everyone loads without a thought. */
export const HARMLESS = concat("\x80\x02}X", little(1, 4), "aK\x01s.");
/** What no one should load. */
export const PAYLOAD = callOf("posix", "system");

/** One member of an archive; what is left out is right. */
export interface Member {
  name: string;
  data: Uint8Array;
  crc?: number;
  flags?: number;
  /** Of the local header only. */
  local?: { name?: string; flags?: number; size?: number };
  /** Is in the archive and not in its directory. */
  isHidden?: boolean;
  method?: number;
}

/** A zip archive with stored members. */
export function zip(members: readonly Member[], options: { comment?: Uint8Array; directoryStart?: number } = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const { name, data, crc = crc32(data), flags = 0, local = {}, isHidden, method = 0 } of members) {
    const localName = local.name ?? name;
    const size = local.size ?? data.length;
    const header = concat(
      "PK\x03\x04",
      ...[little(20, 2), little(local.flags ?? flags, 2), little(method, 2), little(0x21_0000, 4), little(crc, 4)],
      ...[little(size, 4), little(size, 4), little(localName.length, 2), little(0, 2), localName],
    );
    if (!isHidden) {
      central.push(
        concat(
          "PK\x01\x02",
          ...[little(20, 2), little(20, 2), little(flags, 2), little(method, 2), little(0x21_0000, 4), little(crc, 4)],
          ...[little(data.length, 4), little(data.length, 4), little(name.length, 2), little(0, 8), little(0, 4), little(at, 4), name],
        ),
      );
    }
    parts.push(header, data);
    at += header.length + data.length;
  }
  const directory = concat(...central);
  const comment = options.comment ?? new Uint8Array(0);
  const count = little(central.length, 2);
  const end = concat("PK\x05\x06", little(0, 4), count, count, little(directory.length, 4), little(options.directoryStart ?? at, 4));
  return concat(...parts, directory, end, little(comment.length, 2), comment);
}

/** The smallest archive of torch.save, around a pickle. */
export const torchZip = (pickle: Uint8Array, ...more: Member[]): Uint8Array<ArrayBuffer> =>
  zip([{ name: "archive/data.pkl", data: pickle }, { name: "archive/version", data: ascii("3\n") }, ...more]);

/** One file of a tar archive, and its end. */
export function tar(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(512);
  header.set(ascii(name), 0);
  header.set(ascii(`${data.length.toString(8).padStart(11, "0")} `), 124);
  header.set(ascii("0"), 156);
  header.set(ascii("ustar\x0000"), 257);
  return concat(header, data, new Uint8Array((512 - (data.length % 512)) % 512), new Uint8Array(1024));
}

/** A safetensors file of one tensor. */
export function safetensors(
  header = `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`,
  data: Uint8Array = ascii("\x01\x02"),
): Uint8Array<ArrayBuffer> {
  return concat(little(header.length, 8), header, data);
}

export const source = (bytes: Uint8Array, name = "model.pt"): ByteSource => memorySource(bytes, name);
export const audit = (bytes: Uint8Array, name?: string, options?: AuditOptions): Promise<Audit> =>
  auditSource(source(bytes, name), options);
/** Names of the rules, the gravest first, each once. */
export const rulesOf = ({ findings }: Audit): string[] => [...new Set(findings.map(({ rule }) => rule))];
