import { CheckpointError } from "./errors.js";

/**
 * Loads a part of a program that comes when it is needed.
 *
 * @param what names it in the error: "the reader of hdf5".
 * @param load the `import()` of it.
 * @throws {CheckpointError} CODE_UNAVAILABLE when it cannot be had: without a network, or when what is on the server is newer than the page
 * @example const { plot } = await loadCode("the charts", () => import("./plot.js"));
 */
export async function loadCode<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new CheckpointError(
      "CODE_UNAVAILABLE",
      `The code of ${what} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        suggestions: ["Check the network, and try again.", "Reload the page: there may be a newer version of it on the server."],
        cause,
      },
    );
  }
}
