import * as z from "zod";

const regularExpression = z.string().min(1).refine(isRegularExpression, { message: "a regular expression" });
const axis = z.int().min(0).default(0);

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

/**
 * One change of a state dict's names or tensors. Paths are full and dotted; a trailing dot may be left out. Regular expressions
 * are JavaScript's, with the flag `u`; `$1` stands for what the first group matched. Globs are those of the command line.
 */
export const migrationSchema = z.union([
  z.strictObject({
    rename: z.record(z.string().min(1), z.string().min(1)).describe("Old path -> new path, of a tensor or of a whole module"),
  }),
  z.strictObject({ stripPrefix: z.string().min(1).describe("Path that is taken off the names that begin with it") }),
  z.strictObject({ addPrefix: z.string().min(1).describe("Path that is put before every name") }),
  z.strictObject({
    regex: regularExpression.describe("What to replace in every name that has it"),
    replace: z.string().describe("What to put in its place; $1 is the first group"),
  }),
  z.strictObject({
    split: regularExpression.describe("Whole names of tensors that hold several in one"),
    into: z.array(z.string().min(1)).min(2).describe("Names of the parts, in order; $1 is the first group"),
    axis: axis.describe("Axis along which they are cut"),
    sizes: z.array(z.int().min(0)).optional().describe("Sizes of the parts along the axis; equal parts when left out"),
  }),
  z.strictObject({
    merge: z.array(regularExpression).min(2).describe("Whole names of the parts, one expression a part, in order"),
    into: z.string().min(1).describe("Name of the whole; parts that give the same name belong together"),
    axis: axis.describe("Axis along which they are joined"),
  }),
  z.strictObject({
    transpose: z.string().min(1).describe("Glob of the names of tensors whose axes change their order"),
    axes: z.array(z.int().min(0)).optional().describe("For each new axis, the old one; reversed when left out"),
  }),
  z.strictObject({ drop: z.string().min(1).describe("Glob of the names that are left out") }),
]);

/** One change of a state dict's names or tensors. */
export type Migration = z.output<typeof migrationSchema>;
