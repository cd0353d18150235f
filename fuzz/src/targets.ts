import { type FormatReader, memorySink, memorySource, withLimits } from "@ckptkit/core";
import { examineZip, memberAt, openCheckpoint, READERS } from "@ckptkit/formats";
import { auditSource } from "@ckptkit/inspect/audit";
import { REPAIR_TARGETS, repairCheckpoint } from "@ckptkit/inspect/repair";
import { pythonStr, readPickle, tracePickle } from "@ckptkit/pickle";
import { loadKernels } from "@ckptkit/wasm";
import { ensure, outcome } from "./finding.js";
import { bytesOf, type FuzzCase, mainOf } from "./fuzz-case.js";
import { LIMITS, readCheckpoint } from "./read-checkpoint.js";
import { pickleSeeds, seedsOf, seedsOfAll } from "./seeds.js";
import { keyOf, truthOf } from "./truth.js";

/** Something that takes any bytes, and what must hold of it. */
export interface FuzzTarget {
  readonly name: string;
  seeds(): Promise<readonly FuzzCase[]>;
  /**
   * Runs one input. What comes of it in a word: inputs with a new word are kept. Throws what no input may bring about.
   *
   * @param isDamage whether the input is a seed with one damage, so that values under checksums can be held against those of the seed
   */
  run(input: FuzzCase, isDamage: boolean): Promise<string>;
}

const kernels = await loadKernels();
const limits = withLimits(LIMITS);

const ofReader = (reader: FormatReader): FuzzTarget => ({
  name: reader.format,
  seeds: () => seedsOf(reader),
  run: (input, isDamage) => readCheckpoint(input, { readers: [reader] }, isDamage),
});

/** Pickles by themselves: what is traced is what is read, whatever the bytes. */
const pickle: FuzzTarget = {
  name: "pickle",
  seeds: pickleSeeds,
  async run(input) {
    const bytes = mainOf(input);
    const trace = tracePickle(bytes, { limits: LIMITS });
    const read = await outcome(() => readPickle(bytes, { limits: LIMITS }));
    ensure(read.code === trace.error?.code, () => `readPickle gives ${read.code}, tracePickle ${trace.error?.code}.`);
    ensure(trace.end <= bytes.length, () => `The stream ends at ${trace.end} of ${bytes.length} bytes.`);
    if (!read.value) return read.code ?? "";
    await outcome(() => pythonStr(read.value?.value ?? null));
    return ["read", ...new Set(trace.findings.map(({ rule }) => rule))].join(" ");
  },
};

/** What audit and repair see of archives, however they contradict themselves. */
const zip: FuzzTarget = {
  name: "zip",
  seeds: async () => (await seedsOfAll(3)).filter((input) => mainOf(input)[0] === 0x50),
  async run(input) {
    const source = memorySource(mainOf(input), input.main);
    const seen = await outcome(() => examineZip(source, limits));
    await outcome(() => memberAt(source, 0, limits));
    if (seen.code !== undefined) return seen.code;
    const codes = new Set<string>();
    for (const { content } of seen.value.members.slice(0, 100)) {
      if (!content || content.size > 1_000_000) continue;
      const read = await outcome(() => content.read(0, content.size));
      if (read.code !== undefined) codes.add(read.code);
    }
    for (const { start, end } of seen.value.hidden)
      ensure(start >= 0 && start <= end && end <= source.size, () => `Hidden bytes [${start}, ${end}).`);
    return ["seen", ...[...codes].sort(), ...new Set(seen.value.findings.map(({ rule }) => rule))].join(" ");
  },
};

/** Verdicts: never an error, and never clean where a reader could not read the pickle or the archive. */
const audit: FuzzTarget = {
  name: "audit",
  seeds: () => seedsOfAll(3),
  async run(input) {
    const source = memorySource(mainOf(input), input.main);
    const audited = await auditSource(source, { limits: LIMITS });
    JSON.stringify(audited);
    if (audited.verdict === "clean") {
      const opened = await outcome(() => openCheckpoint(source, { limits: LIMITS }));
      const code = opened.code ?? "";
      ensure(!/^(?:PICKLE|ZIP)_/.test(code), () => `The verdict is clean, but opening gives ${code}.`);
    }
    return [audited.verdict, ...new Set(audited.findings.map(({ rule }) => rule))].join(" ");
  },
};

/** What is saved of damaged files is what was written, and can be opened. */
const repair: FuzzTarget = {
  name: "repair",
  seeds: async () => {
    const repairable = READERS.filter(({ format }) => format === "torch-zip" || format === "safetensors");
    return (await Promise.all(repairable.map(seedsOf))).flat();
  },
  async run(input, isDamage) {
    const source = memorySource(mainOf(input), input.main);
    const to = REPAIR_TARGETS[bytesOf(input) % REPAIR_TARGETS.length] ?? "safetensors";
    const sinks = new Map<string, ReturnType<typeof memorySink>>();
    const create = async (name: string) => {
      const sink = memorySink(name);
      sinks.set(name, sink);
      return sink;
    };
    const done = await outcome(() => repairCheckpoint(source, create, { kernels, limits: LIMITS, fileName: "out", to }));
    const written = [...sinks.values()].flatMap(({ bytes }) => bytes ?? []);
    if (done.code !== undefined) {
      ensure(written.length === 0, () => `${done.code}, and a file was written.`);
      return done.code;
    }
    const [bytes] = written;
    ensure(bytes !== undefined, () => "A report, and no file.");
    const saved = await openCheckpoint(memorySource(new Uint8Array(bytes), "out"));
    const truth = isDamage && input.truthOf !== undefined && to === "torch" ? await truthOf(input.truthOf) : undefined;
    for (const tensor of saved.tensors) {
      if (tensor.byteLength > 1_000_000 || !tensor.storage) continue;
      const expected = truth?.get(keyOf(tensor));
      const found = await tensor.read();
      const told = done.value.findings.length > 0;
      ensure(
        !expected || told || Buffer.compare(expected, found) === 0,
        () => `Another value of "${tensor.path}" than was written is saved.`,
      );
    }
    return ["saved", done.value.lost.length > 0 ? "some" : "all", ...new Set(done.value.findings.map(({ rule }) => rule))].join(" ");
  },
};

/** Everything that reads bytes which somebody else wrote: each reader of `READERS`, and what looks at files beside them. */
export const TARGETS: readonly FuzzTarget[] = [...READERS.map(ofReader), pickle, zip, audit, repair];
