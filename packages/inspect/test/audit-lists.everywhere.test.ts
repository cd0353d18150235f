import { describe, expect, it } from "vitest";
import { allowedNames } from "../src/audit/allow-list.js";
import { dangerousBecause } from "../src/audit/danger-list.js";
import { judgeGlobal } from "../src/audit/judge-global.js";

describe("the list of harmless names", () => {
  const allowed = allowedNames();
  it("is exact: nothing near a name on it is clean", () => {
    expect(allowed.length).toBeGreaterThan(700);
    const near = allowed.flatMap(([module, name]) => [
      [module, `${name}x`],
      [module, name.slice(0, -1)],
      [module, `${name}.__globals__`],
      [`${module}.x`, name],
      [`x${module}`, name],
      [module.toUpperCase(), name],
    ]);
    const known = new Set(allowed.map(([module, name]) => `${module} ${name}`));
    const clean = near.filter(
      ([module = "", name = ""]) => !known.has(`${module} ${name}`) && judgeGlobal(module, name).verdict === "clean",
    );
    expect(clean).toEqual([]);
  });

  it("gives a reason for each, and has none of the names that run code", () => {
    for (const [module, name, reason] of allowed) {
      expect(judgeGlobal(module, name), `${module}.${name}`).toEqual({ verdict: "clean", reason });
      expect(dangerousBecause(module.split(".")[0] ?? "", name) ?? "", `${module}.${name}`).not.toContain("runs programs");
    }
  });

  it("takes Python 2's names for Python 3's", () => {
    for (const [module, name] of [
      ["__builtin__", "long"],
      ["__builtin__", "set"],
      ["copy_reg", "_reconstructor"],
      ["exceptions", "ValueError"],
    ] as const) {
      expect(judgeGlobal(module, name).verdict, `${module}.${name}`).toBe("clean");
    }
    expect(judgeGlobal("__builtin__", "eval").verdict).toBe("dangerous");
  });
});

describe("a policy", () => {
  const verdict = (module: string, name: string, policy: Parameters<typeof judgeGlobal>[2]) => judgeGlobal(module, name, policy).verdict;
  it("allows names, exactly or all of a module", () => {
    expect(verdict("my.models", "Net", { allow: ["my.models.Net"] })).toBe("clean");
    expect(verdict("my.models", "Net2", { allow: ["my.models.Net"] })).toBe("unknown");
    expect(verdict("my.models.sub", "Net", { allow: ["my.models.*"] })).toBe("clean");
    expect(verdict("my.modelsx", "Net", { allow: ["my.models.*"] })).toBe("unknown");
  });

  it("denies names before it allows them", () => {
    expect(verdict("collections", "OrderedDict", { deny: ["collections.*"], allow: ["collections.OrderedDict"] })).toBe("dangerous");
  });
});
