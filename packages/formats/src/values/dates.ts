import { isNode, type ObjectNode, type Tree } from "@ckptkit/core";

const two = (value: number): string => String(value).padStart(2, "0");
/** Bit 7 of the month or the hour says that a time is the second of its kind when clocks go back. */
const FOLD = 128;

/**
 * Dates and times as Python's `isoformat()` writes them, durations as `str()` does; undefined for what is none of them.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/_pydatetime.py, `_getstate` and `__reduce__` of each class
 */
export function dateText({ type, args = [] }: ObjectNode): string | undefined {
  const [first, zone] = args;
  switch (type) {
    case "datetime.date":
      return dateOf(bytesOf(first, 4));
    case "datetime.datetime": {
      const bytes = bytesOf(first, 10);
      const offset = offsetOf(zone);
      return bytes && offset !== undefined ? `${dateOf(bytes)}T${timeOf(bytes.subarray(4))}${offset}` : undefined;
    }
    case "datetime.time": {
      const bytes = bytesOf(first, 6);
      const offset = offsetOf(zone);
      return bytes && offset !== undefined ? `${timeOf(bytes)}${offset}` : undefined;
    }
    case "datetime.timedelta":
      return durationOf(args);
    case "datetime.timezone": {
      const offset = zoneOffset(first);
      return typeof zone === "string" ? zone : offset === undefined ? undefined : `UTC${offset === "+00:00" ? "" : offset}`;
    }
    default:
      return undefined;
  }
}

/** Bytes, or the text that Python 2 wrote for them, of one length. */
function bytesOf(value: Tree | undefined, length: number): Uint8Array | undefined {
  const bytes = typeof value === "string" ? Uint8Array.from(value, (letter) => letter.charCodeAt(0)) : value;
  return bytes instanceof Uint8Array && bytes.length === length ? bytes : undefined;
}

function dateOf(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes) return undefined;
  const [high = 0, low = 0, month = 0, day = 0] = bytes;
  return `${String(high * 256 + low).padStart(4, "0")}-${two(month % FOLD)}-${two(day)}`;
}

function timeOf([hour = 0, minute = 0, second = 0, ...rest]: Uint8Array): string {
  const [a = 0, b = 0, c = 0] = rest;
  return `${two(hour % FOLD)}:${two(minute)}:${two(second)}${fraction((a * 256 + b) * 256 + c)}`;
}

const fraction = (microseconds: number): string => (microseconds === 0 ? "" : `.${String(microseconds).padStart(6, "0")}`);

/** `+02:00` of a time zone; empty without one; undefined for one that only its own code knows. */
function offsetOf(zone: Tree | undefined): string | undefined {
  if (zone === undefined || zone === null) return "";
  return isNode(zone) && zone.kind === "object" && zone.type === "datetime.timezone" ? zoneOffset(zone.args?.[0]) : undefined;
}

function zoneOffset(delta: Tree | undefined): string | undefined {
  if (!isNode(delta) || delta.kind !== "object" || delta.type !== "datetime.timedelta") return undefined;
  const parts = integers(delta.args ?? []);
  if (!parts) return undefined;
  const [days = 0, seconds = 0, microseconds = 0] = parts;
  const total = days * 86_400 + seconds;
  const left = Math.abs(total);
  const rest = left % 60 === 0 && microseconds === 0 ? "" : `:${two(left % 60)}${fraction(microseconds)}`;
  return `${total < 0 ? "-" : "+"}${two(Math.floor(left / 3600))}:${two(Math.floor(left / 60) % 60)}${rest}`;
}

function durationOf(args: readonly Tree[]): string | undefined {
  const parts = integers(args);
  if (!parts) return undefined;
  const [days = 0, seconds = 0, microseconds = 0] = parts;
  const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${fraction(microseconds)}`;
  return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? "" : "s"}, ${clock}`;
}

function integers(values: readonly Tree[]): number[] | undefined {
  const found = values.filter((value): value is number => Number.isSafeInteger(value));
  return found.length === values.length && found.length <= 3 ? found : undefined;
}
