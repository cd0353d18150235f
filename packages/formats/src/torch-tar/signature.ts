import type { FormatSignature } from "@ckptkit/core";
import { isTar } from "../tar/header-checksum.js";

/** How archives of torch.save before 0.2 are told: tar archives, whose readers see by their members what they are. */
export const torchTarSignature: FormatSignature = { format: "torch-tar", matches: isTar };
