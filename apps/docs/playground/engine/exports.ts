import { checkpointMarkdown, describeCheckpoint, tensorsCsv } from "@ckptkit/inspect";
import { scanReportOf } from "./scan.js";
import type { SessionId, Sessions } from "./sessions.js";

/** What a checkpoint's description can be saved as. */
export type ExportKind = "json" | "csv" | "markdown";

/** A text to be saved. */
export interface Exported {
  readonly suffix: string;
  readonly type: string;
  /** In a Blob, whose bytes need not pass through the page's memory. */
  readonly blob: Blob;
}

/** The area that writes down what is known of a checkpoint, as the commands of `ckpt` do. */
export function createExports(sessions: Sessions) {
  return {
    /** The description as JSON, the tensors as CSV, or a report in Markdown, with the scan where there was one. */
    make: async (id: SessionId, kind: ExportKind): Promise<Exported> => {
      const session = sessions.get(id);
      const { checkpoint } = session;
      const made = (suffix: string, type: string, text: string | Iterable<string>): Exported => ({
        suffix,
        type,
        blob: new Blob(typeof text === "string" ? [text] : [...text], { type }),
      });
      if (kind === "json") return made("json", "application/json", `${JSON.stringify(describeCheckpoint(checkpoint), null, 2)}\n`);
      const scan = scanReportOf(session);
      if (kind === "csv") return made("csv", "text/csv", tensorsCsv(checkpoint, { scan }));
      return made("md", "text/markdown", checkpointMarkdown(checkpoint, { scan }));
    },
  };
}
