import { pipelineJsonSchema } from "@ckptkit/catalog";
import type { CommandContext } from "../command-context.js";
import { EXIT } from "../output/errors.js";
import { loadCatalog } from "../pipeline/read-pipeline.js";

/** Prints the JSON Schema of pipeline files, with the stages that are installed here. */
export async function schema({ out }: CommandContext): Promise<number> {
  out.write(`${JSON.stringify(pipelineJsonSchema(await loadCatalog(process.cwd())), null, 2)}\n`);
  return EXIT.good;
}
