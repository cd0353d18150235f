import type { FormatSignature } from "@ckptkit/core";
import { isZip } from "../zip/records.js";

/** How programs of TorchScript are told: zip archives, whose readers see by their members what they are. */
export const torchScriptSignature: FormatSignature = { format: "torchscript", matches: isZip };
