// Pickles: what would they import, beside what picklescan does. The parsers of pickles have a bench of their own, bench/pickle.mjs.
import { execFileSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Absent } from "../lib/turns.mjs";

/** All names that a pickle would import, found as picklescan finds them: by Python's pickletools, opcode by opcode. */
const GENOPS = (path) => `
import pickletools
names, strings = set(), []
with open(${JSON.stringify(path)}, "rb") as file:
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "GLOBAL": names.add(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL": names.add(".".join(strings[-2:]))
        elif isinstance(argument, str): strings.append(argument); del strings[:-2]
answer = sorted(names)`;

const PICKLESCAN = (path) => `
from picklescan.scanner import scan_file_path
answer = sorted({f"{g.module}.{g.name}" for g in scan_file_path(${JSON.stringify(path)}).globals})`;

export const works = [
  {
    name: "audit",
    task: "What would a pickle of 16 MB import? (50,000 tensors, 200,000 small maps)",
    async prepare(kit) {
      const python = await kit.python();
      const path = await kit.pythonPath();
      if (path instanceof Absent) return { tools: { ckptkit: path } };
      execFileSync(path, [fileURLToPath(new URL("../pickle-data.py", import.meta.url)), "make", kit.folder]);
      const pickle = join(kit.folder, "data.pkl");
      const { auditSource, fileSource } = kit.ckptkit;
      const hasPicklescan = await python.run("import picklescan.scanner").then(
        () => true,
        () => false,
      );
      return {
        bytes: statSync(pickle).size,
        tools: {
          ckptkit: async () => {
            const source = await fileSource(pickle);
            const { globals } = await auditSource(source);
            await source.close?.();
            return { answer: globals.map(({ module, name }) => `${module}.${name}`).sort() };
          },
          "picklescan's way: pickletools.genops": () => python.run(GENOPS(pickle)),
          picklescan: hasPicklescan ? () => python.run(PICKLESCAN(pickle)) : new Absent("not installed in this Python"),
        },
        close() {
          for (const name of ["data.pkl", "plain.pkl", "checkpoint.pt", "checkpoint.json", "plain.json"])
            rmSync(join(kit.folder, name), { force: true });
        },
      };
    },
  },
];
