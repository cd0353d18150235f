import * as z from "zod";

/** What a pipeline's configuration holds besides its stages. */
export const settingsSchema = z.strictObject({
  cacheDir: z.string().min(1).optional().describe("Folder for downloads, which are resumed and verified there"),
  maxRetries: z.int().min(0).optional().describe("Tries of a failed request after the first one; 3 when left out"),
  timeout: z.number().positive().optional().describe("Seconds that one try of a request may take; 300 when left out"),
  continueOnError: z.boolean().default(false).describe("Goes on with the next stage when one fails"),
  asyncExecution: z.boolean().default(true).describe("false runs the stages synchronously, where all of them can"),
  model: z
    .strictObject({ like: z.string().min(1).describe("Path or address of a checkpoint whose headers give names, dtypes and shapes") })
    .optional()
    .describe("The model to load into; the source's own tensors when left out"),
});

/** Settings of a pipeline. */
export type PipelineSettings = z.output<typeof settingsSchema>;
