import { concat, fields, text } from "./sparse-source.js";

/** One file to be judged. */
export interface HeaderCase {
  name: string;
  bytes: Uint8Array;
  /** What the compatible mode says: the code of the error, or the rules of its findings. */
  compatible: string | readonly string[];
  /** What the strict mode says where that differs: it refuses with SAFETENSORS_HEADER whatever gives a finding. */
  strict?: "accepts" | "refuses";
  /** What the reference implementation (safetensors 0.8) does, where it is not what we do, and why we differ. */
  reference?: { accepts: boolean; why: string };
}

/** A file with this header, padded with spaces to a multiple of 8 unless `exact`, and this many bytes of data. */
export function safetensorsFile(header: string | Uint8Array, dataBytes = 0, exact = false): Uint8Array {
  const json = typeof header === "string" ? text(header) : header;
  const padding = exact ? 0 : (8 - (json.length % 8)) % 8;
  return concat(fields([8, json.length + padding]), json, new Uint8Array(padding).fill(0x20), new Uint8Array(dataBytes));
}

const entry = (rest: string): string => `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]${rest}}}`;
const A = entry("");
const TENSOR = A.slice(1, -1);
const nested = (levels: number): string => entry(`,"x":${"[".repeat(levels)}${"]".repeat(levels)}`);
const shaped = (shape: string, bytes: number, dtype = "U8"): string =>
  `{"a":{"dtype":"${dtype}","shape":${shape},"data_offsets":[0,${bytes}]}}`;

const HEADER = "SAFETENSORS_HEADER";
const OFFSETS = "SAFETENSORS_OFFSETS";

type Row = readonly [
  name: string,
  header: string | Uint8Array,
  dataBytes: number,
  compatible: HeaderCase["compatible"],
  more?: Pick<HeaderCase, "reference">,
];

const ROWS: readonly Row[] = [
  ["an ordinary header", A, 1, []],
  ["no tensors", "{}", 0, []],
  ["metadata and no tensors", '{"__metadata__":{"format":"pt"}}', 0, []],
  ["metadata after the tensors", `{${TENSOR},"__metadata__":{"k":"v"}}`, 1, []],
  ["metadata with an escaped key", `{"__meta\\u0064ata__":{"k":"v"},${TENSOR}}`, 1, []],
  ["metadata that is null", `{"__metadata__":null,${TENSOR}}`, 1, []],
  ["a tensor named __proto__", A.replace('"a"', '"__proto__"'), 1, []],
  ["a name of a surrogate pair", A.replace('"a"', '"\\ud83d\\ude00"'), 1, []],
  ["a name with an escaped NUL", A.replace('"a"', '"\\u0000"'), 1, []],
  ["a name with DEL", A.replace('"a"', '"\x7f"'), 1, []],
  ["a field with an escaped name", A.replace("dtype", "\\u0064type"), 1, []],
  ["a shape of [0]", shaped("[0]", 0), 0, []],
  ["a shape of []", shaped("[]", 1), 1, []],
  ["a huge shape that holds a 0 first", shaped("[0,9007199254740991]", 0), 0, []],
  ["F4 in pairs", shaped("[2]", 1, "F4"), 1, []],
  [
    "an F32 at an odd place",
    '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}',
    5,
    [],
  ],
  [
    "an empty tensor before another",
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
    [],
  ],
  [
    "an empty tensor at the end",
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
    [],
  ],

  ["leading space", ` ${A}`, 1, ["safetensors-leading-space"]],
  ["a leading line feed", `\n${A}`, 1, ["safetensors-leading-space"]],
  ["padding by line feeds", `${A}\n`, 1, ["safetensors-padding"]],
  ["one tensor twice", `{${TENSOR},${TENSOR}}`, 1, ["safetensors-duplicate-key"]],
  [
    "one tensor twice, the first one of an impossible size",
    `{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},${TENSOR}}`,
    1,
    ["safetensors-duplicate-key"],
  ],
  ["one metadata key twice", `{"__metadata__":{"k":"1","k":"2"},${TENSOR}}`, 1, ["safetensors-duplicate-key"]],
  [
    "a metadata key twice that is a field of tensors",
    `{"__metadata__":{"dtype":"1","dtype":"2"},${TENSOR}}`,
    1,
    ["safetensors-duplicate-key"],
  ],
  ["an unknown field", entry(',"x":1'), 1, ["safetensors-unknown-field"]],
  ["an unknown field with an integer beyond 2^64", entry(',"x":123456789012345678901234567890'), 1, ["safetensors-unknown-field"]],
  ["an unknown field nested 125 deep", nested(125), 1, ["safetensors-unknown-field"]],

  ["an unknown field nested 126 deep", nested(126), 1, HEADER],
  ["an unknown field nested 50,000 deep", nested(50_000), 1, HEADER],
  ["an unknown field with 1e999", entry(',"x":1e999'), 1, HEADER],
  ["an unknown field with a lone surrogate", entry(',"x":"\\ud800"'), 1, HEADER],
  ["one field twice", A.replace('"dtype":"U8"', '"dtype":"U8","dtype":"U8"'), 1, HEADER],
  [
    "one field twice, in a tensor that is replaced",
    `{${A.replace('"dtype":"U8"', '"dtype":"U8","dtype":"U8"').slice(1, -1)},${TENSOR}}`,
    1,
    HEADER,
  ],
  ["one tensor twice, the first one null", `{"a":null,${TENSOR}}`, 1, HEADER],
  ["metadata twice", `{"__metadata__":{},"__metadata__":{},${TENSOR}}`, 1, HEADER],
  ["metadata that holds a number", `{"__metadata__":{"k":1},${TENSOR}}`, 1, HEADER],
  ["metadata that is a list", `{"__metadata__":[],${TENSOR}}`, 1, HEADER],
  ["a list", "[]", 0, HEADER],
  ["null", "null", 0, HEADER],
  ["a tensor that is null", '{"a":null}', 0, HEADER],
  [
    "a tensor that is a list",
    '{"a":["U8",[1],[0,1]]}',
    1,
    HEADER,
    { reference: { accepts: true, why: "serde takes a list for a struct; no writer makes one" } },
  ],
  ["no dtype", '{"a":{"shape":[1],"data_offsets":[0,1]}}', 1, HEADER],
  ["no shape", '{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1, HEADER],
  ["no offsets", '{"a":{"dtype":"U8","shape":[1]}}', 1, HEADER],
  ["three offsets", A.replace("[0,1]", "[0,1,2]"), 1, HEADER],
  ["one offset", A.replace("[0,1]", "[0]"), 1, HEADER],
  ["a size of 1.0", A.replace("[1]", "[1.0]"), 1, HEADER],
  ["a size of 1e0", A.replace("[1]", "[1e0]"), 1, HEADER],
  ["a size of -1", A.replace("[1]", "[-1]"), 1, HEADER],
  ["a size of 01", A.replace("[1]", "[01]"), 1, HEADER],
  ["a size of true", A.replace("[1]", "[true]"), 1, HEADER],
  ["a size of 2^64", shaped("[0,18446744073709551616]", 0), 0, HEADER],
  [
    "a size of 2^53 + 1",
    shaped("[0,9007199254740993]", 0),
    0,
    HEADER,
    { reference: { accepts: true, why: "it has 64-bit integers; ours are exact to 2^53 - 1" } },
  ],
  ["an offset of 1.0", A.replace("[0,1]", "[0,1.0]"), 1, HEADER],
  ["an offset of -0", A.replace("[0,1]", "[-0,1]"), 1, HEADER],
  ["an unknown dtype", A.replace("U8", "U9"), 1, HEADER],
  ["a dtype in lower case", A.replace("U8", "u8"), 1, HEADER],
  ["a dtype that every object inherits", A.replace("U8", "toString"), 1, HEADER],
  ["a lone surrogate in a name", A.replace('"a"', '"\\ud800"'), 1, HEADER],
  ["a control character in a name", A.replace('"a"', '"\x01"'), 1, HEADER],
  ["a byte order mark", `\ufeff${A}`, 1, HEADER],
  ["a form feed before", `\f${A}`, 1, HEADER],
  ["NUL bytes as padding", `${A}\0\0`, 1, HEADER],
  ["a comma too many", A.replace("}}", "},}"), 1, HEADER],
  ["two values", `${A}{}`, 1, HEADER],
  ["text that is cut off", A.slice(0, -1), 1, HEADER],
  ["single quotes", A.replaceAll('"', "'"), 1, HEADER],
  ["a comment", `/* */${A}`, 1, HEADER],
  ["NaN", A.replace("[1]", "[NaN]"), 1, HEADER],
  ["bytes that are not UTF-8", concat(text('{"'), new Uint8Array([0xff]), text(A.slice(3))), 1, HEADER],
  ["an overlong UTF-8 form", concat(text('{"'), new Uint8Array([0xc1, 0xa1]), text(A.slice(3))), 1, HEADER],
  ["nothing but spaces", "        ", 0, HEADER],

  ["a hole at the start", A.replace("[0,1]", "[1,2]"), 2, OFFSETS],
  [
    "a hole in the middle",
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
    3,
    OFFSETS,
  ],
  [
    "two tensors in one place",
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
    OFFSETS,
  ],
  [
    "tensors that overlap",
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
    3,
    OFFSETS,
  ],
  [
    "an empty tensor beyond the end",
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[9,9]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
    OFFSETS,
  ],
  ["bytes after the last tensor", A, 2, OFFSETS],
  ["data that is cut off", A, 0, OFFSETS],
  ["an end before the beginning", A.replace("[0,1]", "[1,0]"), 1, OFFSETS],
  ["fewer bytes than the shape needs", shaped("[2]", 1), 1, OFFSETS],
  ["more bytes than the shape needs", shaped("[2]", 3), 3, OFFSETS],
  ["half a byte", shaped("[1]", 1, "F4"), 1, OFFSETS],
  ["six bits", shaped("[1]", 1, "F6_E2M3"), 1, OFFSETS],
  ["a product beyond 2^64", shaped("[4294967296,4294967296]", 0), 0, OFFSETS],
  ["a product beyond 2^64 before a 0", shaped("[4294967296,4294967296,0]", 0), 0, OFFSETS],
  [
    "a product beyond 2^64 after a 0",
    shaped("[0,4294967296,4294967296]", 0),
    0,
    "TENSOR_OUT_OF_BOUNDS",
    { reference: { accepts: true, why: "a tensor's strides would not be exact" } },
  ],
];

const raw = (name: string, bytes: Uint8Array, compatible: HeaderCase["compatible"]): HeaderCase => ({ name, bytes, compatible });

/** Files to be judged by both modes, and by the reference implementation. */
export const HEADERS: readonly HeaderCase[] = [
  ...ROWS.map(([name, header, dataBytes, compatible, more]) => ({
    name,
    bytes: safetensorsFile(header, dataBytes, typeof header === "string" && /[\n\0]$/.test(header)),
    compatible,
    ...more,
  })),
  raw("a header whose length is no multiple of 8", safetensorsFile(`${A}${" ".repeat(5 + ((8 - (A.length % 8)) % 8))}`, 1, true), [
    "safetensors-alignment",
  ]),
  raw("no bytes after the length", fields([8, 0]), HEADER),
  raw("fewer than 8 bytes", text("{}"), HEADER),
  raw("a length beyond the file", concat(fields([8, 1000]), text(A)), HEADER),
  raw("a length of 2^64 - 1", concat(new Uint8Array(8).fill(0xff), text(A)), HEADER),
  raw("a length of 2^32 more than there is", concat(fields([8, 2 ** 32 + A.length]), text(A)), HEADER),
];
