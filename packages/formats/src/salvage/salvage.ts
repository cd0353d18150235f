import {
  type ByteSource,
  CheckpointLoadError,
  cacheSource,
  type Kernels,
  type Limits,
  type OperationOptions,
  withLimits,
} from "@ckptkit/core";
import { SIGNATURE, viewOf } from "../zip/records.js";
import { beginsLikeSafetensors, salvageSafetensors } from "./salvage-safetensors.js";
import { salvageTorch } from "./salvage-torch.js";
import type { Salvaged } from "./salvaged.js";

/** How to read a damaged file. */
export interface SalvageOptions extends OperationOptions {
  kernels: Kernels;
  limits?: Partial<Limits> | undefined;
}

const HEAD_BYTES = 1024;

/**
 * Reads what is left of a damaged torch zip archive or safetensors file. Every storage that is not called lost has the bytes that
 * were written, as far as the file has checksums to tell. Reads an archive whole.
 *
 * @throws {CheckpointLoadError} NOTHING_SAVED, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, and what reading a pickle throws
 * @example const { checkpoint, lost } = await salvageCheckpoint(source, { kernels });
 */
export async function salvageCheckpoint(source: ByteSource, options: SalvageOptions): Promise<Salvaged> {
  const limits = withLimits(options.limits);
  const cached = cacheSource(source);
  const head = await cached.read(0, Math.min(HEAD_BYTES, source.size), options);
  const isZip = head.length >= 4 && viewOf(head).getUint32(0, true) === SIGNATURE.local;
  if (isZip) return salvageTorch(cached, options.kernels, limits, options);
  if (beginsLikeSafetensors(head)) return salvageSafetensors(cached, limits, options);
  if (/\.(?:pt|pth|ckpt|bin)$/i.test(source.name) && !isLegacy(head)) return salvageTorch(cached, options.kernels, limits, options);
  throw new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `${source.name} cannot be repaired: it begins neither like a zip archive nor like safetensors.`,
    {
      suggestions: [
        "Archives of torch.save (since 1.6) and safetensors files can be repaired.",
        "Of a sharded checkpoint, repair the shards one by one.",
      ],
    },
  );
}

/** A pickle, as files of torch.save before 1.6 begin. */
const isLegacy = (head: Uint8Array): boolean => head[0] === 0x80 && (head[1] ?? 0) <= 5;
