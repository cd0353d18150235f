import type { FormatSignature } from "@ckptkit/core";
import { isTar } from "../tar/header-checksum.js";

/** How models of NVIDIA NeMo are told: tar archives, whose readers see by their members what they are. */
export const nemoSignature: FormatSignature = { format: "nemo", matches: isTar };
