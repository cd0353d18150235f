import type { ByteSink } from "@ckptkit/core";
import { saveFilePicker } from "../files/file-system-api.js";
import { exceptionName } from "../files/file-system-errors.js";
import { downloadSink, saveFile } from "./download-sink.js";
import { pickerSink } from "./picker-sink.js";

/** Where a person wants a file: plain data that can be posted to a worker, which opens a sink there. */
export type SaveTarget =
  | { readonly kind: "picker"; readonly handle: FileSystemFileHandle }
  | { readonly kind: "download"; readonly name: string };

/**
 * Asks where to save: with the browser's dialogue where it has one, else it will be a download. Call it in a click, before anything is
 * awaited; resolves to undefined when the person dismisses the dialogue.
 *
 * @example const target = await chooseSaveTarget("model.safetensors");
 */
export async function chooseSaveTarget(suggestedName: string): Promise<SaveTarget | undefined> {
  const picker = saveFilePicker();
  if (!picker) return { kind: "download", name: suggestedName };
  try {
    return { kind: "picker", handle: await picker({ suggestedName }) };
  } catch (error) {
    if (exceptionName(error) === "AbortError") return undefined;
    // No dialogue here after all: in a frame of another site, or not in a click. A download needs neither.
    if (exceptionName(error) === "SecurityError") return { kind: "download", name: suggestedName };
    throw error;
  }
}

/**
 * A sink for what was chosen, on a page or in a worker.
 *
 * @param onFile is given the finished file of a download; saves it when left out, which only pages can
 * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, WRITE_FAILED
 * @example const sink = await saveSink(target);
 */
export function saveSink(target: SaveTarget, onFile: (file: File) => void = saveFile): Promise<ByteSink> {
  return target.kind === "picker" ? pickerSink(target.handle) : downloadSink(target.name, { onFile });
}

/**
 * Asks where to save, and gives the sink that writes there; undefined when the person dismisses the dialogue. Call it in a click.
 *
 * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, WRITE_FAILED
 * @example
 * button.onclick = async () => {
 *   const sink = await chooseSaveSink("model.safetensors");
 *   if (sink) await convertCheckpoint(checkpoint, sink, kernels, { to: "safetensors" });
 * };
 */
export async function chooseSaveSink(suggestedName: string): Promise<ByteSink | undefined> {
  const target = await chooseSaveTarget(suggestedName);
  return target && saveSink(target);
}
