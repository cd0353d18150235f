import { type FormatReader, type FormatSignature, loadCode } from "@ckptkit/core";

/**
 * A reader whose code comes when the first file of its format is opened. Bundlers that divide code put it into a file of its own, so that nobody
 * waits for readers of files that are never met. Opening without waiting is what such a reader cannot do.
 *
 * @param load imports the reader. A literal `import()` stands in it, which is what bundlers look for.
 */
export const lazyReader = (signature: FormatSignature, load: () => Promise<FormatReader>): FormatReader => ({
  ...signature,
  open: async (source, options) => (await loadCode(`the reader of ${signature.format}`, load)).open(source, options),
});
