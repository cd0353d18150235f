import { byteSinkContract, byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { downloadSink, fileHandleSource, opfsSink, opfsSource, pickerSink } from "../src/index.js";
import { freshName, namesIn, opfsBytes, putOpfs } from "./opfs-folder.js";

const STAGING = ".ckptkit-staging";
const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(patternBytes(length));

describe("files of the origin private file system", () => {
  byteSourceContract("opfsSource", async (content) => {
    const name = freshName();
    await putOpfs(name, new Uint8Array(content));
    return opfsSource(`opfs:/${name}`);
  });
  byteSinkContract("opfsSink", () => {
    const name = freshName();
    return { create: () => opfsSink(`opfs:/${name}`), visible: () => opfsBytes(name) };
  });
  byteSinkContract("pickerSink", async () => {
    // A dialogue gives a file that is there already: it has to stay as it was until the commit.
    const name = freshName();
    const handle = await putOpfs(name, new TextEncoder().encode("as it was"));
    return {
      create: () => pickerSink(handle),
      visible: async () => {
        const found = await opfsBytes(name);
        return found && new TextDecoder().decode(found) === "as it was" ? undefined : found;
      },
    };
  });
  byteSinkContract("downloadSink", () => {
    let file: File | undefined;
    return {
      create: () => downloadSink("model.safetensors", { onFile: (made) => (file = made) }),
      visible: async () => file && new Uint8Array(await file.arrayBuffer()),
    };
  });

  it("replaces a file, and leaves it as it was when the new one is given up", async () => {
    const name = freshName();
    await putOpfs(name, bytes(100));
    const given = await opfsSink(name);
    await given.write(bytes(5000));
    await given.abort();
    expectSameBytes(await opfsBytes(name), bytes(100));
    const kept = await opfsSink(name);
    await kept.write(bytes(3_000_000));
    await kept.commit();
    expectSameBytes(await opfsBytes(name), bytes(3_000_000));
  });

  it("makes the folders above a file at the commit, and none before", async () => {
    const folder = freshName();
    const given = await opfsSink(`opfs:/${folder}/deep/model.bin`);
    await given.write(bytes(10));
    await given.abort();
    expect(await namesIn(folder)).toEqual([]);
    const kept = await opfsSink(`opfs:/${folder}/deep/model.bin`);
    await kept.write(bytes(10));
    await kept.commit();
    expect(await namesIn(folder)).toEqual(["deep"]);
    const source = await opfsSource(`opfs:/${folder}/deep/model.bin`);
    expectSameBytes(await source.read(0, 10), bytes(10));
  });

  it("does not replace a file when it is told not to, nor a folder in any case", async () => {
    const name = freshName();
    await putOpfs(name, bytes(10));
    expect(await codeOf(opfsSink(name, { overwrite: false }))).toBe("DESTINATION_EXISTS");
    expect(await codeOf(opfsSink(`${name}/below`))).toBe("NOT_A_FILE");
    const folder = freshName();
    await (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
    expect(await codeOf(opfsSink(folder))).toBe("NOT_A_FILE");
  });

  it("leaves no temporary files, whether committed, aborted or released", async () => {
    const before = await namesIn(STAGING);
    const committed = await opfsSink(freshName());
    await committed.write(bytes(10));
    await committed.commit();
    const aborted = await opfsSink(freshName());
    await aborted.write(bytes(10));
    await aborted.abort();
    const download = await downloadSink("x.bin");
    await download.write(bytes(10));
    await download.commit();
    expect((await namesIn(STAGING)).length).toBe(before.length + 1);
    await download.release();
    expect((await namesIn(STAGING)).length).toBe(before.length);
  });

  it("removes what a tab that died has left, and not what another is writing", async () => {
    const writing = await opfsSink(freshName());
    await writing.write(bytes(10));
    const [alive] = await namesIn(STAGING);
    const staging = await (await navigator.storage.getDirectory()).getDirectoryHandle(STAGING);
    await staging.getFileHandle("left-by-a-dead-tab", { create: true });
    await (await opfsSink(freshName())).abort();
    const names = await namesIn(STAGING);
    expect(names).toContain(alive);
    expect(names).not.toContain("left-by-a-dead-tab");
    await writing.commit();
  });

  it("says where nothing is, and which paths name no file", async () => {
    expect(await codeOf(opfsSource("opfs:/no/such/file"))).toBe("NOT_FOUND");
    expect(await codeOf(opfsSource("opfs:/"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(opfsSource("opfs:/a/../b"))).toBe("INVALID_ARGUMENT");
  });

  it("says that a file changed or went away since it was opened, and what it was then", async () => {
    const name = freshName();
    const handle = await putOpfs(name, bytes(1000));
    const changed = await fileHandleSource(handle);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await putOpfs(name, bytes(1200));
    const error: unknown = await changed.read(0, 10).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "SOURCE_CHANGED", details: { size: 1000, sizeNow: 1200 } });
    const gone = await fileHandleSource(handle);
    await (await navigator.storage.getDirectory()).removeEntry(name);
    expect(await codeOf(gone.read(0, 10))).toBe("NOT_FOUND");
    expect(await codeOf(fileHandleSource(handle))).toBe("NOT_FOUND");
  });

  it("takes bytes of shared memory, which the file system itself refuses", async () => {
    if (typeof SharedArrayBuffer === "undefined") return;
    const shared = new Uint8Array(new SharedArrayBuffer(2_500_000));
    shared.set(bytes(2_500_000));
    const name = freshName();
    const sink = await opfsSink(name);
    await sink.write(shared);
    await sink.commit();
    expectSameBytes(await opfsBytes(name), bytes(2_500_000));
  });
});
