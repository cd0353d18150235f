import { type Bytes, CheckpointLoadError, type Limits, memorySource, type SignalOptions } from "@ckptkit/core";
import { crc32c } from "@ckptkit/wasm/crc";
import { ZstdStream } from "../codecs/zstd/stream.js";
import { ocdbtError } from "./errors.js";
import { Fields } from "./fields.js";
import { LEAST_BYTES, MAGIC } from "./magic.js";

/** Bytes of magic number and length. */
const HEAD_BYTES = 12;
const CRC_BYTES = 4;

/**
 * What is in a manifest or node: its checksum is checked, and its body decompressed.
 *
 * @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT, LIMIT_EXCEEDED
 */
export async function openEnvelope(
  bytes: Bytes,
  kind: keyof typeof MAGIC,
  name: string,
  limits: Limits,
  options?: SignalOptions,
): Promise<Fields> {
  if (bytes.length < LEAST_BYTES) throw ocdbtError(name, `it has ${bytes.length} bytes, where ${LEAST_BYTES} are the least`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC[kind]) throw ocdbtError(name, `it does not begin as ${kind} do`);
  const length = view.getBigUint64(4, true);
  if (length !== BigInt(bytes.length)) throw ocdbtError(name, `it has ${bytes.length} bytes, and says that it has ${length}`);
  const end = bytes.length - CRC_BYTES;
  const recorded = view.getUint32(end, true);
  const found = crc32c(bytes.subarray(0, end));
  if (recorded !== found) throw ocdbtError(name, `its CRC-32C is ${hex(found)}, where ${hex(recorded)} was recorded`);
  const head = new Fields(bytes.subarray(HEAD_BYTES, end), name);
  const version = head.size();
  if (version !== 0) throw ocdbtError(name, `it is of version ${version}, and 0 is known here`);
  const compression = head.size();
  const body = bytes.subarray(end - head.left, end);
  if (compression === 0) return new Fields(body, name);
  if (compression !== 1) throw ocdbtError(name, `it is compressed in a way (${compression}) that is not known here`);
  return new Fields(await unpacked(body, name, limits, options), name);
}

/** How long the body is shows only when it is unpacked. */
async function unpacked(body: Bytes, name: string, limits: Limits, options?: SignalOptions): Promise<Bytes> {
  const stream = new ZstdStream(memorySource(body, name), limits.headerBytes);
  const parts: Uint8Array[] = [];
  for (let part = await stream.next(options); part; part = await stream.next(options)) parts.push(part.slice());
  if (stream.position >= limits.headerBytes) throw tooLong(name, limits.headerBytes);
  const whole = new Uint8Array(stream.position);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

const tooLong = (name: string, allowed: number): CheckpointLoadError =>
  new CheckpointLoadError("LIMIT_EXCEEDED", `${name} unpacks to more than the limit "headerBytes" of ${allowed}.`, {
    details: { limit: "headerBytes", allowed },
  });
