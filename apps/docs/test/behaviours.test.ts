import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT, readPage, tableRows } from "../src/pages.js";

// Rows are: behaviour, where it is here, the tests that show it: `file`: "name of the test", one or more.
const rows = tableRows(readPage("behaviours.md")).filter((cells) => cells.length === 3);
const named = rows.flatMap(([behaviour = "", , tests = ""]) =>
  [...tests.matchAll(/`([^`]+\.test\.ts)`: "((?:[^"\\]|\\.)+)"/g)].map(([, file = "", test = ""]) => ({ behaviour, file, test })),
);

describe("docs/behaviours.md", () => {
  it("names a test in every row, or says plainly that there is none", () => {
    const silent = rows.filter(
      ([, , tests = ""]) => !/\.test\.ts`: "/.test(tests) && !/^(?:No test|Not applicable|Not there)\b/.test(tests),
    );
    expect(silent).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
  });

  it("names tests that exist", () => {
    const texts = new Map<string, string>();
    const textOf = (file: string): string => {
      const text = texts.get(file) ?? (existsSync(ROOT + file) ? readFileSync(ROOT + file, "utf8") : "");
      texts.set(file, text);
      return text;
    };
    const absent = named.filter(({ file, test }) => {
      const text = textOf(file);
      return !['"', "'", "`"].some((quote) => text.includes(`${quote}${test}${quote}`));
    });
    expect(absent).toEqual([]);
  });

  it("names files that exist", () => {
    const files = rows.flatMap(([, here = ""]) => [...here.matchAll(/`((?:packages|wasm)\/[\w./-]+\.\w+)`/g)].map(([, file = ""]) => file));
    expect(files.filter((file) => !existsSync(ROOT + file))).toEqual([]);
    expect(files.length).toBeGreaterThan(20);
  });
});
