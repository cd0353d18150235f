import { CheckpointLoadError, type FormatReader, type Probe } from "@ckptkit/core";
import { innerName, packingOf } from "./packed/packing.js";
import { quoted } from "./quoted.js";

/** What a file may be that is no checkpoint. */
interface Stranger {
  /** Looks at the first 512 bytes, one character each. */
  matches(head: string): boolean;
  what: string;
  suggestion?: string;
}

const begins =
  (magic: string) =>
  (head: string): boolean =>
    head.startsWith(magic);

/** Files that are often met in a checkpoint's place. */
const STRANGERS: readonly Stranger[] = [
  { matches: begins("\x89HDF\r\n\x1a\n"), what: "an HDF5 file (Keras .h5)" },
  { matches: begins("PK\x05\x06"), what: "a zip archive without members" },
  {
    matches: begins("\x08\x01\x12"),
    what: "the graph of a TensorFlow SavedModel (saved_model.pb)",
    suggestion: "Its weights are beside it: open the folder, or variables/variables.index in it.",
  },
  {
    matches: (head) => head.startsWith("ustar", 257),
    what: "a tar archive (a NeMo model, or a torch file older than 0.2)",
    suggestion: "Unpack it first; a NeMo model holds its weights as model_weights.ckpt.",
  },
  {
    matches: (head) => head.startsWith("\x80") && head.charCodeAt(1) >= 2 && head.charCodeAt(1) <= 5,
    what: "a pickle that torch.save did not make",
    suggestion: "Save it with torch.save.",
  },
  {
    matches: (head) => /^\s*<(?:!doctype|html)/i.test(head),
    what: "a web page",
    suggestion: "The address led to a page, for instance a log-in, and not to the file: check it.",
  },
];

/** The error for a file that none of the readers takes: says what it is instead, where that can be told. */
export function unknownFormat({ head, name, size }: Probe, readers: readonly FormatReader[]): CheckpointLoadError {
  // Not the TextDecoder of "latin1", which is windows-1252 and gives other characters for 0x80 to 0x9f.
  const text = String.fromCharCode(...head.subarray(0, 512));
  if (text.startsWith("version https://git-lfs.github.com/spec/")) {
    const declared = /size (\d+)/.exec(text)?.[1];
    return new CheckpointLoadError(
      "LFS_POINTER",
      `${name} is a Git LFS pointer to a file${declared ? ` of ${declared} bytes` : ""}, not the file itself.`,
      { suggestions: ["Fetch the file with: git lfs pull"] },
    );
  }
  const packed = packedFile(head, name);
  if (packed) return packed;
  const stranger = STRANGERS.find(({ matches }) => matches(text));
  const firstBytes = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new CheckpointLoadError(
    "UNKNOWN_FORMAT",
    stranger
      ? `${name} is ${stranger.what}, which is not a checkpoint format that is read here.`
      : `${name} (${size} bytes, beginning with ${firstBytes}) is of no checkpoint format that is known here.`,
    {
      details: { size, begins: firstBytes },
      suggestions: [
        ...(stranger?.suggestion ? [stranger.suggestion] : []),
        `Formats that are read: ${readers.map(({ format }) => format).join(", ")}.`,
      ],
    },
  );
}

/** The error for a file that has to be unpacked first. Text can begin like something that zlib has packed. */
function packedFile(head: Probe["head"], name: string): CheckpointLoadError | undefined {
  const packing = packingOf(head);
  if (!packing || (packing.codec === "zlib" && /^[\x20-\x7e\s]*$/.test(String.fromCharCode(...head.subarray(0, 64))))) return undefined;
  const inner = innerName(head, name);
  const base = name.split(/[\\/]/).at(-1) ?? "";
  const holds = inner === base || inner === "" ? "" : `; what is in it is called ${quoted(inner)}`;
  return new CheckpointLoadError("PACKED_FILE", `${name} is packed by ${packing.name}, and is read only when it is unpacked${holds}.`, {
    details: { packing: packing.name, ...(holds === "" ? {} : { inner }) },
    suggestions: [
      packing.codec === "zlib" ? `Unpack it first: ${packing.command} < ${base}.` : `Unpack it first: ${packing.command} ${base}.`,
      ...(packing.codec === undefined ? [] : ["ckpt audit looks into it as it is."]),
    ],
  });
}
