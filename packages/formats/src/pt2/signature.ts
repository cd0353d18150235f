import type { FormatSignature } from "@ckptkit/core";
import { isZip } from "../zip/records.js";

/** How programs of torch.export are told: zip archives, whose readers see by their members what they are. */
export const pt2Signature: FormatSignature = { format: "pt2", matches: isZip };
