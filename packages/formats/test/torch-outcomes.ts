import { type ByteSource, type Checkpoint, memorySource } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { codeOf } from "@ckptkit/testkit";
import { openTorchLegacy, openTorchZip } from "../src/index.js";
import { legacyFile, torchZip } from "./torch-file.js";

/** A legacy file with this object in it. */
export const legacySource = (value: PickleValue, storages?: Readonly<Record<string, Uint8Array>>): ByteSource =>
  memorySource(legacyFile(value, storages), "legacy.pt");

/** What comes of opening a value and reading its tensors, as an archive and as a legacy file: "read", or the code of the error. */
export async function codesOf(value: PickleValue): Promise<string[]> {
  const outcome = async (open: Promise<Checkpoint>): Promise<string> => {
    const { tensors } = await open;
    for (const each of tensors) await each.read();
    return "read";
  };
  return Promise.all([openTorchZip(torchZip(value)), openTorchLegacy(legacySource(value))].map((open) => outcomeOf(outcome(open))));
}

/** What a promise gives, or the code of the error with which it rejects. */
export const outcomeOf = (outcome: Promise<string>): Promise<string> => outcome.catch((error: unknown) => codeOf(Promise.reject(error)));

/** Rules of what was found. */
export const rulesOf = ({ findings }: Checkpoint): string[] => findings.map(({ rule }) => rule);
