import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** How long one tool took for one task, as the newest lines of `bench/results/NAME.csv` say. */
export interface BenchRow {
  readonly tool: string;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** One task that several tools did by turns. */
export interface Bench {
  readonly name: string;
  readonly date: string;
  readonly fileBytes: number;
  readonly rows: readonly BenchRow[];
}

declare const data: readonly Bench[];

export { data };

export default {
  watch: ["../../../../bench/results/*.csv"],
  load: (files: readonly string[]): Bench[] => files.map(newest).sort((a, b) => a.name.localeCompare(b.name)),
};

function newest(file: string): Bench {
  const [head = "", ...lines] = readFileSync(file, "utf8").trim().split("\n");
  const names = head.split(",");
  const latest = new Map<string, Map<string, string>>();
  for (const line of lines) {
    const cells = line.split(",");
    const record = new Map(names.map((name, index) => [name, cells[index] ?? ""]));
    latest.set(record.get("tool") ?? "", record);
  }
  const records = [...latest.values()];
  const number = (record: Map<string, string>, name: string): number => Number(record.get(name));
  return {
    name: basename(file, ".csv"),
    date: records[0]?.get("date") ?? "",
    fileBytes: records[0] ? number(records[0], "file_bytes") : 0,
    rows: records.map((record) => ({
      tool: record.get("tool") ?? "",
      leastMs: number(record, "least_ms"),
      mostMs: number(record, "most_ms"),
    })),
  };
}
