import { decodedTensor, type Limits, memorySource, type TensorHandle } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint, openCheckpointSync } from "@ckptkit/formats";
import { describeCheckpoint, summarizeCheckpoint, treeText } from "@ckptkit/inspect";
import { ensure, outcome } from "./finding.js";
import { type FuzzCase, mainOf } from "./fuzz-case.js";
import { siblings } from "./seeds.js";
import { expectNoticed, truthOf } from "./truth.js";

/** Limits for inputs of at most half a megabyte: what goes on beyond them is a matter of the defaults, and of time. */
export const LIMITS: Partial<Limits> = {
  headerBytes: 4_000_000,
  metadataValues: 200_000,
  pickleBytes: 4_000_000,
  pickleOpcodes: 1_000_000,
  pickleNodes: 300_000,
  pickleStringBytes: 2_000_000,
  treeVisits: 300_000,
  tensors: 20_000,
  files: 1000,
  zipEntries: 20_000,
  zipDirectoryBytes: 4_000_000,
  inflatedBytes: 16_000_000,
};

/** Bytes of one tensor, and of all tensors, that one execution reads. */
const TENSOR_BYTES = 1_000_000;
const ALL_TENSORS_BYTES = 4_000_000;

/** Opens a case as a user would, looks at everything, reads the tensors, and holds them against what was written. */
export async function readCheckpoint(input: FuzzCase, options: OpenCheckpointOptions, isDamage: boolean): Promise<string> {
  const open = siblings(input.main, (name) => input.files.get(name));
  const source = memorySource(mainOf(input), input.main);
  const opened = await outcome(() => openCheckpoint(source, { ...options, limits: LIMITS, openSibling: async (name) => open(name) }));
  const waited = opened.code ?? "opened";
  // The other way to open, which promises the same: a quarter of the inputs, by a number that is theirs.
  if (mainOf(input).length % 4 === 0) {
    const now = await outcome(() => openCheckpointSync(source, { ...options, limits: LIMITS, openSiblingSync: open }));
    const told = now.code ?? "opened";
    ensure(told === waited || told === "STAGE_ASYNC_ONLY", () => `openCheckpoint gives ${waited}, openCheckpointSync ${told}.`);
  }
  if (opened.code !== undefined) return opened.code;
  const checkpoint = opened.value;
  JSON.stringify(describeCheckpoint(checkpoint));
  JSON.stringify(summarizeCheckpoint(checkpoint));
  treeText(checkpoint.tree);
  const codes = new Set<string>();
  const read = new Map<TensorHandle, Uint8Array>();
  let left = ALL_TENSORS_BYTES;
  for (const tensor of checkpoint.tensors) {
    if (tensor.byteLength > TENSOR_BYTES || tensor.byteLength > left) continue;
    left -= tensor.byteLength + 64;
    const done = await outcome(() => tensor.read());
    if (done.code !== undefined) codes.add(done.code);
    else {
      ensure(
        done.value.length === tensor.byteLength,
        () => `${tensor.path} has ${tensor.byteLength} bytes and gives ${done.value.length}.`,
      );
      read.set(tensor, done.value);
      if (tensor.spec.blocks && 4 * tensor.elementCount <= left) {
        left -= 4 * tensor.elementCount;
        await outcome(() => decodedTensor(tensor).read());
      }
    }
  }
  if (isDamage && input.truthOf !== undefined) await expectNoticed(checkpoint, read, await truthOf(input.truthOf, options));
  await checkpoint.close();
  return ["opened", ...[...codes].sort(), ...new Set(checkpoint.findings.map(({ rule }) => rule))].join(" ");
}
