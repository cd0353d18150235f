import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { expect, type Locator, type Page } from "@playwright/test";

/** The path of a fixture. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../../../fixtures/files/${name}`, import.meta.url));

/** What torch says of a tensor of a fixture. */
export interface TensorTruth {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
  readonly nan: number;
  readonly posInf: number;
  readonly negInf: number;
  readonly zeros: number;
  readonly min: number | null;
  readonly max: number | null;
}

/** What torch, which made the fixture, says of its tensors. */
export function truthOf(name: string): TensorTruth[] {
  const { fixtures } = JSON.parse(readFileSync(fixture("manifest.json"), "utf8"));
  return fixtures.find(({ file }: { file: string }) => file === name).truth.tensors;
}

/** Opens a sample by its link; `rest` is more of the query. */
export async function openSample(page: Page, sample: string, rest = ""): Promise<void> {
  await page.goto(`playground.html?sample=${sample}${rest}`);
  await expect(page.getByTestId("session-name")).toBeVisible();
}

/** Opens files of the disk, or of memory, by the input. */
export async function openFile(page: Page, files: Parameters<Locator["setInputFiles"]>[0], name?: string): Promise<void> {
  await expect(page.locator(".pg[data-ready=true]")).toBeVisible();
  await page.getByTestId("file-input").setInputFiles(files);
  await expect(page.getByTestId("session-name")).toHaveText(name ?? /./);
}

/** Goes to a view by its tab. */
export const toView = (page: Page, name: string): Promise<void> => page.getByRole("tab", { name, exact: true }).click();

/** Takes the system's dialogue away, which no test can answer: files are saved as downloads then, as in browsers that have none. */
export async function withoutSystemDialogues(page: Page): Promise<void> {
  await page.addInitScript(() => void Reflect.deleteProperty(window, "showSaveFilePicker"));
}

/** What a click saves: its name, and where a copy of it is put. */
export async function savedBy(page: Page, click: () => Promise<void>, folder: string): Promise<string> {
  const saving = page.waitForEvent("download");
  await click();
  const download = await saving;
  const path = `${folder}/${download.suggestedFilename()}`;
  await download.saveAs(path);
  return path;
}

/** Dtype, shape and bytes of the tensors of a safetensors file, read from its header by hand. */
export function readSafetensors(path: string): Map<string, { dtype: string; shape: number[]; bytes: Buffer }> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(file.subarray(8, start).toString("utf8"));
  return new Map(
    Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(tensors).map(([name, tensor]) => {
      const [from, to] = tensor.data_offsets;
      return [name, { dtype: tensor.dtype, shape: tensor.shape, bytes: file.subarray(start + from, start + to) }];
    }),
  );
}

/** A safetensors file of float32 tensors, by hand. */
export function safetensorsOf(tensors: Readonly<Record<string, readonly number[]>>): Buffer {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape: [values.length], data_offsets: [at, at + 4 * values.length] };
    at += 4 * values.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, Buffer.from(new Float32Array(Object.values(tensors).flat()).buffer)]);
}

/** An archive as torch.save makes it around a pickle, with nothing else in it. */
export function torchZip(pickle: Buffer): Buffer {
  const u16 = (...values: number[]): Buffer => Buffer.from(new Uint16Array(values).buffer);
  const u32 = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer);
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, data] of [["archive/data.pkl", pickle] as const, ["archive/version", Buffer.from("3\n")] as const]) {
    const facts = Buffer.concat([u16(20, 0, 0, 0, 0x21), u32(crc32(data), data.length, data.length), u16(name.length, 0)]);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), facts, Buffer.from(name), data]);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02"), u16(20), facts, u16(0, 0, 0), u32(0, at), Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.concat([Buffer.from("PK\x05\x06"), u16(0, 0, central.length, central.length), u32(directory.length, at), u16(0)]);
  return Buffer.concat([...locals, directory, end]);
}
