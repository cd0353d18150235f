import * as z from "zod";
import { migrationSchema } from "../migrations/schema.js";

/** Options of every loading strategy. */
export const loadShape = {
  from: z.string().optional().describe("Name of the checkpoint to load, as a source gave it (as); the pipeline's checkpoint when left out"),
  submodule: z.string().optional().describe("Module of the checkpoint whose weights are taken, without its path in their names"),
  include: z.array(z.string()).optional().describe("Globs of the checkpoint's names that are taken; all when left out"),
  exclude: z.array(z.string()).default([]).describe("Globs of the checkpoint's names that are left out"),
  migrations: z.array(migrationSchema).default([]).describe("Changes of names and tensors, applied in order"),
  into: z.string().optional().describe("Module of the model that the weights are loaded into; the whole model when left out"),
  refreshPrefixes: z
    .array(z.string().min(1))
    .default([])
    .describe("Paths in the model whose values stay as they are, such as statistics for normalisation"),
  legacyLayouts: z.boolean().default(true).describe("Recognises names of older versions and of wrappers such as torch.compile"),
} as const;

/** Options of every loading strategy. */
export type LoadOptions = z.output<z.ZodObject<typeof loadShape>>;
