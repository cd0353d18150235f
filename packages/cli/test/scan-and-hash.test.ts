import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixture, readFixture } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { ckpt, ckptJson, type ErrorJson, scratch } from "./ckpt.js";

const VIT = fixture("vit-tiny.ckpt");

it("says of a clean checkpoint first that it is clean, with exit code 0", async () => {
  const { code, stdout, stderr } = await ckpt("scan", VIT.path);
  expect([code, stderr]).toEqual([0, ""]);
  const numbers = VIT.truth.tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  expect(stdout.split("\n")[0]).toContain(
    `no NaN or Inf in ${VIT.truth.tensors.length} tensors, ${numbers.toLocaleString("en-US")} numbers`,
  );
});

it("lists tensors with NaN or Inf before the others, with exit code 1", async () => {
  const { code, stdout } = await ckpt("scan", fixture("special-numbers.pt").path);
  expect(code).toBe(1);
  const { tensors } = fixture("special-numbers.pt").truth;
  const isBad = ({ nan = 0, posInf = 0, negInf = 0 }) => nan + posInf + negInf > 0;
  const order = [...tensors.filter(isBad), ...tensors.filter((tensor) => !isBad(tensor))].map(({ path }) => path);
  const lines = stdout.split("\n");
  expect(lines[0]).toContain(`NaN or Inf in ${tensors.filter(isBad).length} of ${tensors.length} tensors`);
  expect(
    lines
      .slice(3)
      .map((line) => line.trim().split(" ")[0])
      .filter(Boolean),
  ).toEqual(order);
});

it("looks for NaN and Inf alone when that is asked, lists what has any, and exits as a scan does", async () => {
  const { path, truth } = fixture("special-numbers.pt");
  const bad = truth.tensors.filter(({ nan = 0, posInf = 0, negInf = 0 }) => nan + posInf + negInf > 0);
  const { code, stdout } = await ckpt("scan", path, "--finite");
  expect(code).toBe(1);
  expect(stdout).toContain(`NaN or Inf in ${bad.length} of ${truth.tensors.length} tensors`);
  expect(stdout).not.toMatch(/zeros|mean|\bclean\b/);
  for (const tensor of bad) expect(stdout).toContain(tensor.path);
  const { json } = await ckptJson<{ tensors: { path: string; nan: number }[] }>("scan", path, "--finite");
  expect(json.tensors.map(({ path: at, nan }) => [at, nan])).toEqual(truth.tensors.map(({ path: at, nan }) => [at, nan]));
  expect((await ckpt("scan", VIT.path, "--finite")).code).toBe(0);
  expect((await ckpt("scan", VIT.path, "--finite", "--csv")).code).toBe(2);
});

it("scans only what a glob matches", async () => {
  const { code, json } = await ckptJson<{ tensors: { path: string }[] }>("scan", fixture("special-numbers.pt").path, "--filter", "clean");
  expect(code).toBe(0);
  expect(json.tensors.map(({ path }) => path)).toEqual(["clean"]);
});

it("tells which tensors it could not scan", async () => {
  const { stdout } = await ckpt("scan", fixture("odd-layouts.pt").path);
  expect(stdout).toMatch(/1 tensor not scanned\n.*\n +meta +BF16 +it has no bytes in the file/);
});

it("does not pass a glob that matches nothing for a clean checkpoint", async () => {
  const { code, json } = await ckptJson<ErrorJson>("scan", VIT.path, "--filter", "no.such.*");
  expect([code, json.error.code]).toEqual([2, "NO_TENSORS"]);
});

it("prints digests in the form of sha256sum", async () => {
  expect(await ckpt("hash", VIT.path)).toEqual({ code: 0, stdout: `${VIT.sha256}  ${VIT.path}\n`, stderr: "" });
  const { stdout } = await ckpt("hash", VIT.path, "--tensors", "--filter", "model.head.*");
  const expected = VIT.truth.tensors.filter(({ name }) => name?.startsWith("model.head."));
  expect(stdout).toBe(expected.map(({ sha256, path }) => `${sha256}  ${path}\n`).join(""));
});

it.each([
  // Of the bytes "abc", as RFC 1321, FIPS 180-4 and the command lines of the other algorithms give them.
  ["md5", "900150983cd24fb0d6963f7d28e17f72"],
  ["crc32", "352441c2"],
  ["crc32c", "364b3fb7"],
  ["blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"],
  ["xxh3", "78af5f94892f3950"],
  ["xxh3-128", "06b05ab6733a618578af5f94892f3950"],
  ["SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
])("hashes any file with %s", async (algorithm, digest) => {
  const file = join(await scratch(), "abc.bin");
  await writeFile(file, "abc");
  expect((await ckpt("hash", file, "-a", algorithm)).stdout).toBe(`${digest}  ${file}\n`);
});

it("refuses a tensor whose bytes do not have their CRC-32, unless told not to look", async () => {
  const file = join(await scratch(), "flipped.ckpt");
  const bytes = await readFixture("vit-tiny.ckpt");
  // Storage 2 holds the patch embedding, 24,576 bytes; its record begins within 4 KiB of its name.
  const at = Buffer.from(bytes.buffer).indexOf("/data/2") + 8192;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
  for (const args of [
    ["hash", file],
    ["hash", "--tensors", file],
    ["convert", file, join(file, "..", "out.safetensors")],
  ]) {
    const { code, json } = await ckptJson<ErrorJson>(...args);
    expect([code, json.error.code], args[0]).toEqual([1, "CRC_MISMATCH"]);
  }
  expect((await ckpt("hash", file, "--no-crc")).code).toBe(0);
  const { code, json } = await ckptJson<{ tensors: { path: string; digest: string }[] }>("hash", "--tensors", "--no-crc", file);
  expect(code).toBe(0);
  const changed = json.tensors.filter(({ digest }, index) => digest !== VIT.truth.tensors[index]?.sha256);
  expect(changed.map(({ path }) => path)).toEqual(["state_dict.model.patch_embed.weight"]);
});

it.each([
  ["scan", "special-numbers.pt"],
  ["scan", "st-sharded.safetensors.index.json"],
  ["hash", "vit-tiny.ckpt"],
])("%s says the same of %s with any number of threads", async (command, file) => {
  const args = [command, fixture(file).path, ...(command === "hash" ? ["--tensors"] : [])];
  const alone = await ckptJson<object>(...args, "--workers", "0");
  for (const workers of ["1", "2", "3"]) expect(await ckptJson(...args, "--workers", workers)).toEqual(alone);
});

it("starts the threads that were asked for, and none for little work", async () => {
  expect((await ckpt("scan", VIT.path, "--verbose", "--workers", "2")).stderr).toContain("scan with 2 threads");
  expect((await ckpt("hash", VIT.path, "--tensors", "--verbose", "--workers", "3")).stderr).toContain("hash with 3 threads");
  expect((await ckpt("scan", VIT.path, "--verbose")).stderr).not.toContain("thread");
});

it("refuses numbers of threads that are none, and threads for the hash of a whole file", async () => {
  for (const workers of ["-1", "two", "1.5", "257"]) {
    const { code, json } = await ckptJson<ErrorJson>("scan", VIT.path, `--workers=${workers}`);
    expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
  }
  const { code, json } = await ckptJson<ErrorJson>("hash", VIT.path, "--workers", "2");
  expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
  expect(json.error.suggestions).toContain("Add --tensors.");
});
