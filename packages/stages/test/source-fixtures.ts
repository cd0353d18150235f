import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Checkpoint, Json } from "@ckptkit/core";
import { CheckpointContext, type CheckpointSource, type Notice } from "@ckptkit/core/pipeline";
import { type NodePlatformOptions, nodePlatform } from "@ckptkit/node";
import { isSpecified } from "@ckptkit/testkit";
import { type FileServer, fileServer, fixture, servedBytes } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";

/** The files of a sharded fixture, its index first. */
export const SHARDED = ["st-sharded.safetensors.index.json", 1, 2, 3].map((part) =>
  typeof part === "string" ? part : `st-sharded-0000${part}-of-00003.safetensors`,
);

/** The bytes of a fixture's file. */
export const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(join(fixture("st-basic.safetensors").path, "..", file)));

/** A folder that is gone when the test file's tests have run. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-sources-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server for the tests of one file, which serves nothing at first. */
export function testServer(): { readonly now: FileServer } {
  let server: FileServer | undefined;
  beforeAll(async () => {
    server = await fileServer();
  });
  afterAll(() => server?.close());
  beforeEach(() => {
    server?.files.clear();
    if (server) Object.assign(server, { requests: [], bytesSent: 0, intercept: undefined, cutAfter: undefined });
  });
  return {
    get now() {
      if (!server) throw new Error("The server runs only while tests do.");
      return server;
    },
  };
}

/** Serves fixtures under a folder of the server. */
export function serveFixtures(server: FileServer, folder: string, ...files: string[]): void {
  for (const file of files) server.files.set(`${folder}/${file}`, servedBytes(bytesOf(file), { etag: `"${file}"` }));
}

/** What a source made of a context. */
export interface Processed {
  context: CheckpointContext;
  checkpoint: Checkpoint;
  metadata: { readonly [key: string]: Json };
  notices: string[];
}

/** Runs a source on an empty context. */
export async function processed(source: CheckpointSource, platform: NodePlatformOptions = {}, checkpointPath?: string): Promise<Processed> {
  const notices: string[] = [];
  const onNotice = ({ message }: Notice): void => void notices.push(message);
  const context = await source.process(new CheckpointContext({ platform: nodePlatform(platform), checkpointPath }), { onNotice });
  const { checkpoint, metadata } = context;
  if (!checkpoint) throw new Error("The source opened nothing.");
  return { context, checkpoint, metadata, notices };
}

/** Compares names, shapes and every byte of the first tensors with what torch or safetensors said of the fixture. */
export async function expectTruth(checkpoint: Checkpoint, file: string): Promise<void> {
  const entry = fixture(file);
  const { tensors } = entry.truth;
  const found = checkpoint.tensors.filter(({ path }) => isSpecified(entry, path));
  expect(found.map(({ path, dtype, shape }) => ({ path, dtype, shape }))).toEqual(
    tensors.map(({ path, dtype, shape }) => ({ path, dtype, shape })),
  );
  for (const [index, tensor] of found.slice(0, 5).entries()) {
    const hash = createHash("sha256");
    for await (const chunk of tensor.chunks(new Uint8Array(1 << 16))) hash.update(chunk);
    expect(hash.digest("hex"), tensor.path).toBe(tensors[index]?.sha256);
  }
  await checkpoint.close();
}

/** Everything that an error tells, its causes included. */
export function everythingOf(error: unknown): string {
  const seen: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    seen.push(at.name, at.message, at.stack ?? "", JSON.stringify(at), JSON.stringify(Object.entries(at)));
  }
  return seen.join("\n");
}
