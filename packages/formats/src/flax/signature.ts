import type { Bytes, FormatSignature, Probe } from "@ckptkit/core";
import { MARKERS, type Marker } from "./markers.js";

/** Values that are looked at: by then it is clear. */
const MOST_VALUES = 200;
/** Bytes of a key at the root: names of modules and parameters. */
const MOST_KEY_BYTES = 4096;

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true });

/** How MessagePack files of Flax are told. */
export const flaxSignature: FormatSignature = { format: "flax-msgpack", matches: looksLikeMsgpack };

/**
 * Whether bytes are a MessagePack map with names for its keys. MessagePack has no magic number, so the structure is followed
 * as far as the head goes: each marker must be one, each length must fit into the file, and keys must be text.
 */
function looksLikeMsgpack({ head, size, name }: Probe): boolean {
  const root = MARKERS[head[0] ?? 0xc1];
  if (root?.kind !== "map") return false;
  if (head[0] === 0x80) return size === 1 && /\.msgpack$/i.test(name);
  const walk = new HeadWalk(head, size, /\.msgpack$/i.test(name));
  return walk.values() && walk.keys > 0;
}

class HeadWalk {
  /** Keys that were seen. */
  keys = 0;
  #at = 0;
  readonly #head: Bytes;
  readonly #view: DataView;
  readonly #size: number;
  readonly #isNamed: boolean;
  /** What is open: how many values are still to come, and whether they are keys and values by turns. */
  readonly #open: { left: number; readonly isMap: boolean }[] = [];

  constructor(head: Bytes, size: number, isNamed: boolean) {
    this.#head = head;
    this.#isNamed = isNamed;
    this.#view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    this.#size = size;
  }

  /** Whether all values are good, as far as they are in the head. */
  values(): boolean {
    for (let count = 0; count < MOST_VALUES; count++) {
      const marker = MARKERS[this.#head[this.#at] ?? 0xc1];
      const top = this.#open.at(-1);
      const isKey = top?.isMap === true && top.left % 2 === 0;
      if (!marker || marker.kind === "never" || (isKey && !this.#isKey(marker))) return false;
      if (top) top.left--;
      if (!this.#pass(marker)) return false;
      while (this.#open.at(-1)?.left === 0) this.#open.pop();
      // What follows the root makes it unlikely that the bytes are MessagePack at all.
      if (this.#open.length === 0) return this.#at === this.#size || this.#isNamed;
      if (this.#at >= this.#head.length) return this.#at < this.#size;
    }
    return true;
  }

  /** Passes over one value, into it when it holds others. */
  #pass(marker: Marker): boolean {
    this.#at++;
    if ("bytes" in marker) this.#at += marker.bytes;
    if (!("lengthBytes" in marker)) return this.#at <= this.#size;
    const length = this.#length(marker);
    if (length === undefined) return true; // the head ends here
    this.#at += marker.lengthBytes;
    if (marker.kind === "array" || marker.kind === "map") {
      const left = marker.kind === "map" ? 2 * length : length;
      this.#open.push({ left, isMap: marker.kind === "map" });
      return this.#at + left <= this.#size;
    }
    this.#at += length + (marker.kind === "ext" ? 1 : 0);
    return this.#at <= this.#size;
  }

  #length({ lengthBytes, length }: { lengthBytes: number; length: number }): number | undefined {
    if (lengthBytes === 0) return length;
    if (this.#at + lengthBytes > this.#head.length) {
      this.#at += lengthBytes;
      return undefined;
    }
    if (lengthBytes === 1) return this.#view.getUint8(this.#at);
    return lengthBytes === 2 ? this.#view.getUint16(this.#at) : this.#view.getUint32(this.#at);
  }

  /** Text without control characters. Only the keys of the root and of what it holds need to be names. */
  #isKey(marker: Marker): boolean {
    if (marker.kind !== "str") return this.#open.length > 2;
    const from = this.#at + 1;
    const length = from + marker.lengthBytes > this.#head.length ? undefined : this.#lengthAt(marker, from);
    const start = from + marker.lengthBytes;
    this.keys++;
    if (length === undefined || start + length > this.#head.length) return true;
    if (length > MOST_KEY_BYTES || (length === 0 && this.#open.length === 1)) return false;
    try {
      return !/\p{Cc}/u.test(UTF8.decode(this.#head.slice(start, start + length)));
    } catch {
      return false;
    }
  }

  #lengthAt(marker: { lengthBytes: number; length: number }, at: number): number | undefined {
    const before = this.#at;
    this.#at = at;
    const length = this.#length(marker);
    this.#at = before;
    return length;
  }
}
