import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BytePatch } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes, seededRandom } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { type EditSteps, REAL_STEPS } from "../src/edit/file-system.js";
import { journalPath } from "../src/edit/journal.js";
import { editableFile, fileSource, fileSourceSync, nodePlatform, restoreEdit } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();
let count = 0;

/** A file of 10,000 bytes in a new place. */
function newFile(): { path: string; old: Uint8Array } {
  const path = at(`edited-${count++}.bin`);
  const old = patternBytes(10_000);
  writeFileSync(path, old);
  return { path, old };
}

const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
const of = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

/** What the file is to be, computed in memory. */
function applied(old: Uint8Array, { patches, size }: Edit): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, old.length));
  bytes.set(old);
  for (const { at: start, bytes: by } of patches) bytes.set(by, start);
  return bytes.slice(0, size);
}

interface Edit {
  patches: BytePatch[];
  size: number;
}

const EDITS: readonly (readonly [name: string, edit: Edit])[] = [
  ["at the front, of the same size", { patches: [{ at: 8, bytes: of(500, 1) }], size: 10_000 }],
  ["that makes it longer", { patches: [{ at: 9_700, bytes: of(900, 2) }], size: 10_600 }],
  ["behind the end", { patches: [{ at: 10_000, bytes: of(64, 3) }], size: 10_064 }],
  ["that makes it shorter", { patches: [{ at: 9_000, bytes: of(100, 4) }], size: 9_100 }],
  ["that cuts it off", { patches: [], size: 9_500 }],
  [
    "in two places that makes it longer",
    {
      patches: [
        { at: 100, bytes: of(200, 5) },
        { at: 9_990, bytes: of(300, 6) },
      ],
      size: 10_290,
    },
  ],
  [
    "in two places that makes it shorter",
    {
      patches: [
        { at: 100, bytes: of(200, 7) },
        { at: 5_000, bytes: of(30, 8) },
      ],
      size: 5_030,
    },
  ],
];

async function edit(path: string, { patches, size }: Edit, steps?: EditSteps): Promise<void> {
  const file = await editableFile(path, steps && { steps });
  try {
    await file.patch(patches, size);
  } finally {
    await file.close();
  }
}

const editHere = async (uri: string): Promise<unknown> => nodePlatform().edit?.(uri);

/** The real steps without waiting for the device, which is slow and of which a process that is killed knows nothing. */
const QUICK_STEPS: EditSteps = {
  ...REAL_STEPS,
  create: (path, bytes) => writeFile(path, bytes, { flag: "wx" }),
  sync: async () => undefined,
  remove: (path) => rm(path, { force: true }),
};

class Killed extends Error {}

/** The real steps until the budget is used up: then the process is dead, in the middle of a write where `bytes` says so. */
function killedAfter(budget: number, share: number): EditSteps {
  let left = budget;
  const turn = async (run: () => Promise<void>, half?: () => Promise<void>): Promise<void> => {
    if (left < 0) throw new Killed();
    if (left-- > 0) return run();
    await half?.();
    throw new Killed();
  };
  const part = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * share));
  return {
    create: (path, bytes) =>
      turn(
        () => QUICK_STEPS.create(path, bytes),
        () => QUICK_STEPS.create(path, part(bytes)),
      ),
    write: (handle, bytes, start) =>
      turn(
        () => QUICK_STEPS.write(handle, bytes, start),
        () => QUICK_STEPS.write(handle, part(bytes), start),
      ),
    truncate: (handle, size) => turn(() => QUICK_STEPS.truncate(handle, size)),
    sync: (handle) => turn(() => QUICK_STEPS.sync(handle)),
    remove: (path) => turn(() => QUICK_STEPS.remove(path)),
  };
}

describe("editableFile", () => {
  it.each(EDITS)("makes a change %s, and leaves nothing beside the file", async (_, change) => {
    const { path, old } = newFile();
    await edit(path, change);
    expectSameBytes(bytesOf(path), applied(old, change));
    expect(existsSync(journalPath(path))).toBe(false);
  });

  it.each(EDITS)("leaves the old file, the new one or one that is put back, wherever a change %s is killed", async (_, change) => {
    const seen = new Set<string>();
    for (let budget = 0; budget < 8; budget++) {
      for (const share of [0, 0.01, 0.5, 0.99, 1]) {
        const { path, old } = newFile();
        const ended = await edit(path, change, killedAfter(budget, share)).then(
          () => true,
          () => false,
        );
        let found = "restored";
        try {
          await (await fileSource(path)).close?.();
          const isOld = Buffer.compare(bytesOf(path), old) === 0;
          expect(isOld || Buffer.compare(bytesOf(path), applied(old, change)) === 0, `killed after ${budget} steps`).toBe(true);
          found = isOld ? "old" : "new";
        } catch (error) {
          expect(error).toMatchObject({ code: "UNFINISHED_EDIT" });
          expect(() => fileSourceSync(path)).toThrow(expect.objectContaining({ code: "UNFINISHED_EDIT" }));
        }
        seen.add(found);
        const did = await restoreEdit(path, { steps: QUICK_STEPS });
        expect(did === "restored").toBe(found === "restored");
        expectSameBytes(bytesOf(path), found === "new" ? applied(old, change) : old);
        if (ended) expect(found).toBe("new");
        await edit(path, { patches: [{ at: 0, bytes: of(4, 9) }], size: bytesOf(path).length }, QUICK_STEPS);
        expect(existsSync(journalPath(path))).toBe(false);
      }
    }
    expect(seen).toContain("old");
    expect(seen).toContain("new");
  });

  it("puts the old bytes back at once when a write fails and the process lives", async () => {
    for (const failing of ["write", "sync", "truncate"] as const) {
      const { path, old } = newFile();
      let failures = 1;
      const steps: EditSteps = {
        ...REAL_STEPS,
        async write(handle, bytes, start) {
          if (failing !== "write" || failures-- <= 0) return REAL_STEPS.write(handle, bytes, start);
          await REAL_STEPS.write(handle, bytes.subarray(0, 50), start);
          throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        },
        async sync(handle) {
          if (failing === "sync" && failures-- > 0) throw Object.assign(new Error("input/output error"), { code: "EIO" });
          return REAL_STEPS.sync(handle);
        },
        async truncate(handle, size) {
          if (failing === "truncate" && failures-- > 0) throw Object.assign(new Error("input/output error"), { code: "EIO" });
          return REAL_STEPS.truncate(handle, size);
        },
      };
      const change = { patches: [{ at: 9_000, bytes: of(100, 4) }], size: 9_100 };
      const code = await codeOf(edit(path, change, steps));
      expect(code).toBe(failing === "write" ? "NO_SPACE" : "WRITE_FAILED");
      expectSameBytes(bytesOf(path), old);
      expect(existsSync(journalPath(path))).toBe(false);
    }
  });

  it("takes back any cut at random, whatever was written", async () => {
    const random = seededRandom(7);
    for (let round = 0; round < 40; round++) {
      const { path, old } = newFile();
      const start = random.integer(9_000);
      const bytes = Uint8Array.from({ length: 1 + random.integer(3_000) }, () => random.integer(256));
      const change = { patches: [{ at: start, bytes }], size: start + bytes.length };
      await edit(path, change, killedAfter(1 + random.integer(3), random.integer(1000) / 1000)).catch(() => undefined);
      await restoreEdit(path, { steps: QUICK_STEPS });
      const found = bytesOf(path);
      const expected = Buffer.compare(found, old) === 0 ? old : applied(old, change);
      expectSameBytes(found, expected);
    }
  });

  it("refuses a second change while one is under way, and a file that was changed since it was opened", async () => {
    const { path, old } = newFile();
    const first = await editableFile(path);
    const second = await editableFile(path);
    writeFileSync(journalPath(path), "");
    expect(await codeOf(first.patch([{ at: 0, bytes: of(1, 1) }], 10_000))).toBe("UNFINISHED_EDIT");
    expect(await restoreEdit(path)).toBe("nothing");
    await first.patch([{ at: 0, bytes: of(1, 1) }], 10_000);
    truncateSync(path, 9_999);
    expect(await codeOf(second.patch([{ at: 0, bytes: of(1, 2) }], 10_000))).toBe("SOURCE_CHANGED");
    expect(bytesOf(path)[0]).toBe(1);
    expectSameBytes(bytesOf(path).subarray(1), old.subarray(1, 9_999));
    expect(existsSync(journalPath(path))).toBe(false);
    await Promise.all([first.close(), second.close()]);
  });

  it("finds the journal of a file by any name of it, and never writes old bytes into another file", async () => {
    const { path, old } = newFile();
    const link = at("link.bin");
    symlinkSync(path, link);
    await edit(link, { patches: [{ at: 9_000, bytes: of(500, 1) }], size: 10_000 }, killedAfter(1, 0.5)).catch(() => undefined);
    expect(await codeOf(fileSource(link))).toBe("UNFINISHED_EDIT");
    expect(await codeOf(fileSource(path))).toBe("UNFINISHED_EDIT");
    expect(await codeOf(editHere(link))).toBe("UNFINISHED_EDIT");
    const other = patternBytes(10_000).map((byte) => 255 - byte);
    writeFileSync(path, other);
    await (await fileSource(path)).close?.();
    expect(await codeOf(restoreEdit(path))).toBe("SOURCE_CHANGED");
    expectSameBytes(bytesOf(path), other);
    const half = Uint8Array.from(old);
    half.fill(1, 9_000, 9_250);
    writeFileSync(path, half);
    expect(await restoreEdit(link)).toBe("restored");
    expectSameBytes(bytesOf(path), old);
  });

  it("refuses patches that overlap, leave a gap or do not end where the file ends", async () => {
    const { path, old } = newFile();
    const file = await editableFile(path);
    for (const [patches, size] of [
      [
        [
          { at: 10, bytes: of(5, 1) },
          { at: 12, bytes: of(5, 1) },
        ],
        10_000,
      ],
      [[{ at: 10_001, bytes: of(5, 1) }], 10_006],
      [[], 10_001],
      [[{ at: 0.5, bytes: of(5, 1) }], 10_000],
      [[{ at: 9_000, bytes: of(500, 1) }], 9_100],
    ] as const) {
      expect(await codeOf(file.patch(patches, size))).toBe("INVALID_ARGUMENT");
    }
    await file.close();
    expectSameBytes(bytesOf(path), old);
    expect(await codeOf(editableFile(join(path, "nothing")))).toBe("NOT_FOUND");
    expect(await codeOf(editHere("s3://bucket/model.safetensors"))).toBe("UNSUPPORTED_URI");
  });
});
