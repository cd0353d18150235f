import { checkpointMarkdown, csvRecord, markdownTable, scanCheckpoint, tensorsCsv } from "@ckptkit/inspect";
import { fixture } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

/** A reader of RFC 4180, for what is written here. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quoted && character === '"' && text[at + 1] === '"') cell += text[++at];
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === "," || text.startsWith("\r\n", at))) {
      rows.at(-1)?.push(cell);
      cell = "";
      if (character !== ",") {
        rows.push([]);
        at++;
      }
    } else cell += character;
  }
  rows.pop();
  return rows;
}

describe("tensorsCsv", () => {
  it("has a line for every tensor, whatever its name", async () => {
    for (const file of ["vit-tiny.ckpt", "names-odd.pt", "st-names.safetensors"]) {
      const checkpoint = await openFixture(file);
      const [head, ...rows] = parseCsv([...tensorsCsv(checkpoint)].join(""));
      expect(head).toEqual(["path", "name", "group", "dtype", "shape", "parameters", "bytes", "storage"]);
      expect(rows.map((row) => row[0]?.replace(/^'(?=[=+\-@\t\r])/, ""))).toEqual(checkpoint.tensors.map(({ path }) => path));
      expect(new Set(rows.map((row) => row.length))).toEqual(new Set([8]));
    }
  });

  it("adds what a scan found", async () => {
    const checkpoint = await openFixture("special-numbers.pt");
    const scan = await scanCheckpoint(checkpoint, { kernels: jsKernels() });
    const [head = [], ...rows] = parseCsv([...tensorsCsv(checkpoint, { scan })].join(""));
    const truth = new Map(fixture("special-numbers.pt").truth.tensors.map((tensor) => [tensor.path, tensor]));
    for (const row of rows) {
      const { nan, posInf } = truth.get(row[0] ?? "") ?? {};
      if (nan !== undefined) expect([row[head.indexOf("nan")], row[head.indexOf("posInf")]], row[0]).toEqual([String(nan), String(posInf)]);
    }
  });

  it("quotes as RFC 4180 says, and lets no spreadsheet run a name", () => {
    expect(csvRecord(['a"b', "c,d", "e\nf", "=1+1", -1, null])).toBe('"a""b","c,d","e\nf",\'=1+1,-1,\r\n');
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "x") }), { minLength: 1, maxLength: 4 }), (cells) => {
        fc.pre(cells.every((cell) => !cell.startsWith("\r")));
        expect(parseCsv(csvRecord(cells))).toEqual([cells]);
      }),
    );
  });
});

describe("checkpointMarkdown", () => {
  it("tells what a checkpoint is, with what a scan found", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const text = checkpointMarkdown(checkpoint, { scan: await scanCheckpoint(checkpoint, { kernels: jsKernels() }) });
    for (const part of [
      "| format | torch-zip |",
      "| model | F32 | 44 | 32778 | 131112 |",
      "PyTorch Lightning 2.6.6",
      "| epoch | 5 |",
      "Adam; learning rate 0",
      "## Scan\n\nNo NaN or Inf in 181 tensors",
      "## Findings\n\nNone.",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("shows names as text, never as markup", async () => {
    expect(markdownTable(["a"], [["|<b>`x`\n[y](z)*"]])).toBe("| a |\n| --- |\n| \\|\\<b\\>\\`x\\` \\[y\\](z)\\* |");
    const text = checkpointMarkdown(await openFixture("names-odd.pt"), { mostTensors: 3 });
    expect(text).toMatch(/\.\.\. and \d+ more tensors/);
  });
});
