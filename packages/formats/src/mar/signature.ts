import type { FormatSignature } from "@ckptkit/core";
import { isZip } from "../zip/records.js";

/** How model archives of TorchServe are told: zip archives, whose readers see by their members what they are. */
export const marSignature: FormatSignature = { format: "mar", matches: isZip };
