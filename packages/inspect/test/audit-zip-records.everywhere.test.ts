import { describe, expect, it } from "vitest";
import { ascii, audit, concat, HARMLESS, type Member, PAYLOAD, rulesOf, torchZip, zip } from "./hostile.js";

const pickle = (data: Uint8Array, more: Partial<Member> = {}): Member => ({ name: "archive/data.pkl", data, ...more });
const second = (data: Uint8Array, more: Partial<Member> = {}): Member => ({ name: "archive/z.pkl", data, ...more });

const LOCAL = "PK\x03\x04";
const ENTRY = "PK\x01\x02";
const END = "PK\x05\x06";

/** Where the record number `index` with this signature begins. */
function recordAt(bytes: Uint8Array, signature: string, index = 0): number {
  const text = String.fromCharCode(...bytes);
  let at = text.indexOf(signature);
  for (let left = index; left > 0; left--) at = text.indexOf(signature, at + 1);
  expect(at).toBeGreaterThanOrEqual(0);
  return at;
}

/** A copy whose numbers are others: `[position, value, bytes]`, little endian. */
function patched(bytes: Uint8Array, ...changes: readonly (readonly [number, number, 2 | 4])[]): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (const [at, value, size] of changes) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  return copy;
}

/** The directory claims bytes behind its last member. */
function longerDirectory(): Uint8Array {
  const bytes = zip([pickle(PAYLOAD)]);
  const end = recordAt(bytes, END);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end + 12, true);
  const longer = patched(bytes, [end + 12, size + 10, 4]);
  return concat(longer.slice(0, end), new Uint8Array(10), longer.slice(end));
}

/** The size that a stored member takes, and the one that it has when it comes out, in both its headers. */
function withSizes(compressed: number, size: number): Uint8Array {
  const bytes = zip([pickle(PAYLOAD)]);
  const [entry, local] = [recordAt(bytes, ENTRY), recordAt(bytes, LOCAL)];
  return patched(bytes, [entry + 20, compressed, 4], [entry + 24, size, 4], [local + 18, compressed, 4], [local + 22, size, 4]);
}

const TWO = zip([pickle(HARMLESS), second(PAYLOAD)]);
const WITH_HIDDEN = zip([pickle(HARMLESS), second(PAYLOAD, { isHidden: true })]);

describe("records of archives that contradict each other", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["an end record that counts the members twice, differently", patched(TWO, [recordAt(TWO, END) + 8, 1, 2]), "zip-contradicting-ends"],
    ["a directory with bytes behind its last member", longerDirectory(), "zip-directory"],
    ["two members in the same place", patched(TWO, [recordAt(TWO, ENTRY, 0) + 42, recordAt(TWO, LOCAL, 1), 4]), "zip-overlap"],
    ["a stored member that is said to come out longer", withSizes(PAYLOAD.length, PAYLOAD.length + 7), "zip-size"],
    ["a stored member that is said to come out shorter", withSizes(PAYLOAD.length, 2), "zip-size"],
    ["a stored member that is said to take no place", withSizes(0, PAYLOAD.length), "zip-size"],
    [
      "a payload between members, behind no header",
      // The header of the member that the directory does not list is made unreadable: what is left are a gap's bytes, which begin with the pickle.
      concat(
        WITH_HIDDEN.slice(0, recordAt(WITH_HIDDEN, LOCAL, 1)),
        PAYLOAD,
        new Uint8Array(recordAt(WITH_HIDDEN, ENTRY) - recordAt(WITH_HIDDEN, LOCAL, 1) - PAYLOAD.length),
        WITH_HIDDEN.slice(recordAt(WITH_HIDDEN, ENTRY)),
      ),
      "zip-hidden-bytes",
    ],
  ])("%s: the payload is found, and the rule named", async (_, bytes, rule) => {
    const result = await audit(bytes);
    expect(rulesOf(result)).toContain(rule);
    expect(result.verdict).toBe("dangerous");
    expect(result.globals.map(({ module, name }) => `${module}.${name}`)).toContain("posix.system");
  });

  it("bytes between members that hold nothing known are suspicious", async () => {
    const at = recordAt(WITH_HIDDEN, LOCAL, 1);
    const bytes = WITH_HIDDEN.slice().fill(0x55, at, recordAt(WITH_HIDDEN, ENTRY));
    const result = await audit(bytes);
    expect([result.verdict, rulesOf(result)]).toEqual(["suspicious", expect.arrayContaining(["zip-hidden-bytes"])]);
  });

  it("a member whose packed bytes are damaged is never clean", async () => {
    const result = await audit(torchZip(HARMLESS, { name: "archive/x.pkl", data: ascii("\xff\xff\xff\xff"), method: 8 }));
    expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", expect.arrayContaining(["unreadable-member"])]);
  });
});

describe("programs of TorchScript", () => {
  it.each(["torch.save(x, '/tmp/x')", "torch.from_file('/etc/x', False, 4)", "ops.aten.save(x, '/tmp/x')"])(
    "that call %s reach files",
    async (call) => {
      const code = `class Net(Module):\n  def forward(self, x):\n    ${call}\n`;
      const result = await audit(torchZip(HARMLESS, { name: "archive/code/__torch__.py", data: ascii(code) }));
      expect([result.verdict, rulesOf(result)]).toEqual(["suspicious", expect.arrayContaining(["torchscript-files"])]);
    },
  );
});
