import { isNode, type Tree } from "@ckptkit/core";

/** A key as Python's `str()` shows it: the step that it makes in a path. */
export function keyText(key: Tree): string {
  return typeof key === "string" ? key : repr(key);
}

/** Python's `repr()` of the values that can be keys; others by their class. */
function repr(value: Tree): string {
  if (value === null) return "None";
  if (value instanceof Uint8Array) return bytesRepr(value);
  if (!isNode(value)) {
    switch (typeof value) {
      case "boolean":
        return value ? "True" : "False";
      case "string":
        return stringRepr(value);
      case "number":
        return Number.isInteger(value) ? String(value) : floatRepr(value);
      default:
        return String(value);
    }
  }
  switch (value.kind) {
    case "real":
      return floatRepr(value.value);
    case "list": {
      const items = value.items.map(repr);
      if (value.type === "tuple") return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
      if (value.type === "list") return `[${items.join(", ")}]`;
      const inner = items.length === 0 ? "" : `{${items.join(", ")}}`;
      return value.type === "set" && inner !== "" ? inner : `${value.type}(${inner})`;
    }
    case "global":
      return value.name.startsWith("torch.") && !/[A-Z]/.test(value.name)
        ? value.name
        : `<class '${value.name.replace(/^builtins\./, "")}'>`;
    case "tensor":
      return `tensor(${value.tensor.dtype}, [${value.tensor.shape.join(", ")}])`;
    case "map":
      return `{${value.entries.map(([key, entry]) => `${repr(key)}: ${repr(entry)}`).join(", ")}}`;
    case "object":
      return `${value.type}(${(value.args ?? []).map(repr).join(", ")})`;
  }
}

/** Python shows the shortest digits, like JavaScript, but turns to exponents below 1e-4 and from 1e16 on. */
function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits = "", exponent = "0"] = value.toExponential().split("e");
    const power = Number(exponent);
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return `${quote}${text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character).replaceAll(quote, `\\${quote}`)}${quote}`;
}

function bytesRepr(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += ESCAPES[character] ?? (byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, "0")}` : character);
  }
  return `b'${text.replaceAll("'", "\\'")}'`;
}
