/** What the first byte of a value says: its kind, and how many bytes of a number or length follow. */
export type Marker =
  | { readonly kind: "nil" | "never" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "small"; readonly value: number }
  | { readonly kind: "uint" | "int" | "float"; readonly bytes: 1 | 2 | 4 | 8 }
  | { readonly kind: "str" | "bin" | "array" | "map" | "ext"; readonly lengthBytes: 0 | 1 | 2 | 4; readonly length: number };

const sized = (kind: "str" | "bin" | "array" | "map" | "ext", lengthBytes: 0 | 1 | 2 | 4, length = 0): Marker => ({
  kind,
  lengthBytes,
  length,
});
const number = (kind: "uint" | "int" | "float", bytes: 1 | 2 | 4 | 8): Marker => ({ kind, bytes });

/** The markers from 0xc0 to 0xdf, in their order. */
const NAMED: readonly Marker[] = [
  { kind: "nil" },
  { kind: "never" },
  { kind: "bool", value: false },
  { kind: "bool", value: true },
  sized("bin", 1),
  sized("bin", 2),
  sized("bin", 4),
  sized("ext", 1),
  sized("ext", 2),
  sized("ext", 4),
  number("float", 4),
  number("float", 8),
  number("uint", 1),
  number("uint", 2),
  number("uint", 4),
  number("uint", 8),
  number("int", 1),
  number("int", 2),
  number("int", 4),
  number("int", 8),
  sized("ext", 0, 1),
  sized("ext", 0, 2),
  sized("ext", 0, 4),
  sized("ext", 0, 8),
  sized("ext", 0, 16),
  sized("str", 1),
  sized("str", 2),
  sized("str", 4),
  sized("array", 2),
  sized("array", 4),
  sized("map", 2),
  sized("map", 4),
];

/** All 256 markers. @see https://github.com/msgpack/msgpack/blob/master/spec.md#formats */
export const MARKERS: readonly Marker[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte): Marker => {
  if (byte < 0x80) return { kind: "small", value: byte };
  if (byte < 0x90) return sized("map", 0, byte - 0x80);
  if (byte < 0xa0) return sized("array", 0, byte - 0x90);
  if (byte < 0xc0) return sized("str", 0, byte - 0xa0);
  return NAMED[byte - 0xc0] ?? { kind: "small", value: byte - 0x100 };
});
