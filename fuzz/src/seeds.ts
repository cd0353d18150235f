import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ByteSource, CheckpointNotFoundError, type FormatReader, memorySource } from "@ckptkit/core";
import { openCheckpoint, READERS } from "@ckptkit/formats";
import { bytesOf, type FuzzCase, mainOf } from "./fuzz-case.js";
import { inRepository } from "./repository.js";
import { archiveOf, membersOf } from "./zip-members.js";

/** Seeds beyond this size make executions slow, and are taken only where a format has no smaller ones. */
const SMALL = 64 * 1024;
/** Seeds of one target; the smallest first. */
const SEEDS = 12;

const folder = (): string => inRepository("fixtures/files");

/** Opens the file beside the main one; of a folder's files that lie side by side in the fixtures, the stem stands in front of the names. */
export function siblings(main: string, files: (name: string) => Uint8Array<ArrayBuffer> | undefined): (name: string) => ByteSource {
  const stem = main.endsWith(".metadata") ? main.slice(0, -".metadata".length) : "";
  return (name) => {
    const bytes = files(name) ?? files(stem + name);
    if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}.`);
    return memorySource(bytes, name);
  };
}

/** The fixture of this name with the files that a reader opens beside it; undefined when the reader does not read it. */
async function caseOf(main: string, reader: FormatReader): Promise<FuzzCase | undefined> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (name: string): Uint8Array<ArrayBuffer> | undefined => {
    const path = join(folder(), dirname(main), name);
    if (!existsSync(path) || !statSync(path).isFile()) return undefined;
    const bytes = new Uint8Array(readFileSync(path));
    files.set(name, bytes);
    return bytes;
  };
  const name = basename(main);
  const bytes = read(name);
  if (!bytes) return undefined;
  const open = siblings(name, read);
  try {
    const checkpoint = await openCheckpoint(memorySource(bytes, name), { readers: [reader], openSibling: async (file) => open(file) });
    for (const tensor of checkpoint.tensors) if (tensor.byteLength < SMALL) await tensor.read().catch(() => undefined);
    await checkpoint.close();
  } catch {
    return undefined;
  }
  return { main: name, files, truthOf: main };
}

/** Containers of which there is no fixture: they hold one, or are no more than their first bytes. */
const MADE: Readonly<Record<string, () => readonly FuzzCase[]>> = {
  ggml: () => ["lmgg\x99\xca\0\0", "tjgg\x03\0\0\0"].map((head) => alone("model.bin", new Uint8Array(Buffer.from(head, "latin1")))),
  mar: () =>
    ["in-memory.pt", "legacy-protocol-4.pt"].map((name) => {
      const manifest = Buffer.from(
        JSON.stringify({ runtime: "python", model: { modelName: "m", serializedFile: name, handler: "handler.py" } }),
      );
      const model = new Uint8Array(readFileSync(join(folder(), name)));
      return alone(
        "model.mar",
        archiveOf([
          { name: "MAR-INF/MANIFEST.json", bytes: new Uint8Array(manifest) },
          { name, bytes: model },
        ]),
      );
    }),
};

/** Folders that stand among the fixtures as one archive each: all their files, and the one that is opened. */
const FOLDERS: Readonly<Record<string, readonly (readonly [archive: string, main: string])[]>> = {
  zarr: [
    ["zarr-v2-single.zip", ".zarray"],
    ["zarr-v2.zip", ".zmetadata"],
    ["zarr-v3.zip", "zarr.json"],
    ["zarr-v3.zip", "sharded/zarr.json"],
  ],
  orbax: [
    ["orbax-default.zip", "_METADATA"],
    ["orbax-plain.zip", "_CHECKPOINT_METADATA"],
    ["orbax-zarr3.zip", "_METADATA"],
    ["orbax-manager.zip", "5/_CHECKPOINT_METADATA"],
  ],
  ocdbt: [
    ["ocdbt-merged.zip", "manifest.ocdbt"],
    ["ocdbt-deep.zip", "manifest.ocdbt"],
  ],
};

/** The files in the folder of the one that is opened, by their names from there. */
function folderCase([archive, main]: readonly [string, string]): FuzzCase {
  const below = main.slice(0, main.lastIndexOf("/") + 1);
  const members = membersOf(new Uint8Array(readFileSync(join(folder(), archive)))) ?? [];
  const files = members.flatMap(({ name, bytes }) => (bytes && name.startsWith(below) ? [[name.slice(below.length), bytes] as const] : []));
  return { main: main.slice(below.length), files: new Map(files) };
}

let all: Promise<ReadonlyMap<FormatReader, readonly FuzzCase[]>> | undefined;

async function readAll(): Promise<ReadonlyMap<FormatReader, readonly FuzzCase[]>> {
  const names = readdirSync(folder(), { recursive: true }).map(String).sort();
  const cases = new Map<FormatReader, readonly FuzzCase[]>();
  for (const reader of READERS) {
    const found: FuzzCase[] = [];
    for (const name of names) {
      const input = await caseOf(name, reader);
      if (input) found.push(input);
    }
    found.push(...(MADE[reader.format]?.() ?? []), ...(FOLDERS[reader.format] ?? []).map(folderCase));
    cases.set(reader, smallest(found));
  }
  return cases;
}

function smallest(cases: readonly FuzzCase[]): readonly FuzzCase[] {
  const sorted = [...cases].sort((a, b) => bytesOf(a) - bytesOf(b));
  const small = sorted.filter((input) => bytesOf(input) <= SMALL);
  return small.length > 0 ? small.slice(0, SEEDS) : sorted.slice(0, 1);
}

/** What a reader starts from: the smallest fixtures that it opens. */
export async function seedsOf(reader: FormatReader): Promise<readonly FuzzCase[]> {
  all ??= readAll();
  return (await all).get(reader) ?? [];
}

/** A few of every reader. */
export async function seedsOfAll(each: number): Promise<readonly FuzzCase[]> {
  const cases = await Promise.all(READERS.map(seedsOf));
  return cases.flatMap((list) => list.slice(0, each));
}

/** Pickles within the fixtures: of archives, of folders, and files that are pickles. */
export async function pickleSeeds(): Promise<readonly FuzzCase[]> {
  const found: FuzzCase[] = [];
  for (const input of await seedsOfAll(SEEDS)) {
    const bytes = mainOf(input);
    for (const member of membersOf(bytes) ?? [])
      if (/\.pkl$/.test(member.name) && member.bytes) found.push(alone(member.name, member.bytes));
    if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5) found.push(alone(input.main, bytes));
  }
  return smallest(found);
}

const alone = (main: string, bytes: Uint8Array<ArrayBuffer>): FuzzCase => ({ main, files: new Map([[main, bytes]]) });
