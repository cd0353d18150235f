import { CheckpointError } from "@ckptkit/core";

/** Something that no input may bring about. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/** Makes sure of something that holds whatever the input. @throws {Broken} */
export function ensure(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) throw new Broken(otherwise());
}

/** The code of an error that was thrown on purpose; throws every other one again. */
export function codeOf(error: unknown): string {
  if (error instanceof CheckpointError && error.code !== "INTERNAL") {
    JSON.stringify(error);
    return error.code;
  }
  throw error;
}

/** What comes of some work: its result, or the code of the error that it threw on purpose. */
export async function outcome<T>(
  work: () => Promise<T> | T,
): Promise<{ value: T; code?: undefined } | { code: string; value?: undefined }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { code: codeOf(error) };
  }
}
