import { parseChecksum } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import type { TransferOptions } from "@ckptkit/remote";
import * as z from "zod";

/** Options that every source of remote files takes. */
export const transferShape = {
  maxRetries: z.int().min(0).default(3).describe("Tries after the first one, 1, 2, 4 ... seconds apart, for what may go well later"),
  timeout: z.number().positive().default(300).describe("Longest wait without any byte from the server, in seconds; each try has its own"),
  expectedChecksum: z
    .string()
    .min(1)
    .optional()
    .describe("What the whole file must hash to: SHA-256 in hexadecimal, or ALGORITHM:HEX; of a sharded checkpoint, its index"),
  download: z
    .enum(["auto", "always", "never"])
    .default("auto")
    .describe(
      "Whether the file is copied here: auto reads by range and copies only where the server knows no ranges or a checksum is given",
    ),
  cacheDir: z.string().min(1).optional().describe("Folder for copies; with it, auto copies always"),
};

type TransferValues = z.output<z.ZodObject<typeof transferShape>>;

/**
 * The same as the layer below takes it.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a checksum that is none
 */
export function transferOptions(values: TransferValues, { signal, onProgress }: StageOptions = {}): TransferOptions {
  const { maxRetries, timeout, expectedChecksum, download, cacheDir } = values;
  return {
    retry: { retries: maxRetries },
    timeoutMs: timeout * 1000,
    checksum: expectedChecksum === undefined ? undefined : parseChecksum(expectedChecksum),
    download,
    cacheDir,
    signal,
    onProgress,
  };
}
