import { describe, expect, it } from "vitest";
import { readPickle, tracePickle } from "../src/index.js";
import { stream } from "./stream.js";

describe("what a stream would have done", () => {
  it("is told with the place of every global and call", () => {
    const trace = tracePickle(stream("cm\nf\n", "(K\x01t", "R", "."));
    expect(trace.globals).toEqual([{ module: "m", name: "f", offset: 0, opcode: "GLOBAL" }]);
    expect(trace.calls.map(({ call, offset }) => [call.via, call.args, offset])).toEqual([["REDUCE", [1], 9]]);
    expect(trace.pickle?.value).toBe(trace.calls[0]?.call);
    expect([trace.error, trace.end]).toEqual([undefined, 11]);
  });

  it("is told up to the place where the stream breaks", () => {
    const bytes = stream("cm\nf\n", "(K\x01tR0", "\xff\xff");
    const trace = tracePickle(bytes);
    expect(trace.globals).toHaveLength(1);
    expect(trace.calls).toHaveLength(1);
    expect(trace).toMatchObject({ pickle: undefined, error: { code: "PICKLE_CORRUPT" }, end: 11 });
    expect(() => readPickle(bytes)).toThrow(expect.objectContaining({ code: "PICKLE_CORRUPT" }));
  });

  it("is told of calls whose value is thrown away", () => {
    const trace = tracePickle(stream("(cm\nf\n", "K\x01o", "0", "N."));
    expect(trace.calls.map(({ call }) => call.via)).toEqual(["OBJ"]);
    expect(trace.pickle?.value).toBeNull();
  });

  it("begins where it is told to", () => {
    const bytes = stream("N.", "cm\ng\n.");
    expect(tracePickle(bytes, { start: 2 })).toMatchObject({ globals: [{ name: "g", offset: 2 }], end: 8 });
    expect(() => tracePickle(bytes, { start: 9 })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
