import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AUDIT_RULES, type Audit } from "@ckptkit/inspect/audit";
import { fixture } from "@ckptkit/testkit/node";
import type { Log } from "sarif";
import { describe, expect, it } from "vitest";
import { ckpt, ckptJson, scratch } from "./ckpt.js";

const CLEAN = fixture("ties.pt").path;
const UNKNOWN = fixture("objects.pt").path;

/** A pickle that names posix.system: inert, for nothing runs it. */
const DANGEROUS = Buffer.from("\x80\x02cposix\nsystem\nX\x04\0\0\0echo\x85R.", "latin1");

async function folder(): Promise<string> {
  const path = await scratch();
  await mkdir(join(path, "deep/er"), { recursive: true });
  await copyFile(CLEAN, join(path, "ties.pt"));
  await writeFile(join(path, "deep/er/bad.pkl"), DANGEROUS);
  await writeFile(join(path, "config.json"), "{}");
  return path;
}

describe("ckpt audit", () => {
  it("says what a file is and why, and ends by the verdict", async () => {
    const path = await folder();
    expect(await ckpt("audit", CLEAN)).toEqual({
      code: 0,
      stdout: `clean ${CLEAN}\n  Everything that it imports is known to be harmless.\n`,
      stderr: "",
    });
    const bad = await ckpt("audit", join(path, "deep/er/bad.pkl"));
    expect([bad.code, bad.stderr]).toEqual([1, ""]);
    expect(bad.stdout).toContain("Loading it with Python would import posix.system, which can run code.");
    expect(bad.stdout).toContain("error[dangerous-global]: posix.system");
    await writeFile(join(path, "cut.pkl"), DANGEROUS.subarray(0, 3));
    expect((await ckpt("audit", join(path, "cut.pkl"))).code).toBe(2);
  });

  it("takes classes that are not known for a problem with --strict only", async () => {
    expect((await ckpt("audit", UNKNOWN)).code).toBe(0);
    expect((await ckpt("audit", UNKNOWN, "--strict")).code).toBe(1);
    expect((await ckpt("audit", CLEAN, "--strict")).code).toBe(0);
  });

  it("prints one object for one file", async () => {
    const { code, json } = await ckptJson<Audit>("audit", UNKNOWN);
    expect(code).toBe(0);
    expect(json).toMatchObject({ uri: UNKNOWN, verdict: "unknown" });
    expect(Object.keys(json).sort()).toEqual(["findings", "globals", "reason", "uri", "verdict"]);
    expect(json.globals[0]).toMatchObject({
      module: "__main__",
      verdict: "unknown",
      places: [expect.stringMatching(/data\.pkl: byte \d+$/)],
    });
  });

  it("goes through folders, and prints a list for several files", async () => {
    const path = await folder();
    const { code, json } = await ckptJson<Audit[]>("audit", path);
    expect(code).toBe(1);
    expect(json.map(({ uri, verdict }) => [uri.slice(path.length + 1), verdict])).toEqual([
      ["config.json", "clean"],
      ["deep/er/bad.pkl", "dangerous"],
      ["ties.pt", "clean"],
    ]);
    const text = await ckpt("audit", path);
    expect(text.stdout).toMatch(/3 files: 2 clean, 1 dangerous\n$/);
  });

  it("goes on behind a file that cannot be read, and is not satisfied", async () => {
    const { code, json } = await ckptJson<Audit[]>("audit", "no-such-file.pt", CLEAN);
    expect([code, json.map(({ verdict }) => verdict)]).toEqual([2, ["inconclusive", "clean"]]);
    const alone = await ckptJson<{ error: { code: string } }>("audit", "no-such-file.pt");
    expect([alone.code, alone.json.error.code]).toEqual([2, "NOT_FOUND"]);
  });

  it("prints a SARIF log whose parts refer to each other", async () => {
    const path = await folder();
    const { code, stdout } = await ckpt("audit", path, "--sarif");
    expect(code).toBe(1);
    const log: Log = JSON.parse(stdout);
    expect(log.version).toBe("2.1.0");
    const [run] = log.runs;
    const rules = run?.tool.driver.rules ?? [];
    for (const { ruleId, ruleIndex = -1, message, level, locations = [] } of run?.results ?? []) {
      expect(rules[ruleIndex]?.id).toBe(ruleId);
      expect(message.text).not.toBe("");
      expect(["error", "warning", "note"]).toContain(level);
      const place = locations[0]?.physicalLocation?.artifactLocation;
      expect(run?.artifacts?.[place?.index ?? -1]?.location?.uri).toBe(place?.uri);
      expect(() => new URL(place?.uri ?? "")).not.toThrow();
    }
    expect(run?.results?.map(({ ruleId, level }) => [ruleId, level])).toContainEqual(["dangerous-global", "error"]);
    expect(rules.every(({ id, help }) => help?.text === AUDIT_RULES[id]?.advice)).toBe(true);
  });

  it("follows a policy", async () => {
    const path = await scratch();
    const policy = join(path, "policy.yaml");
    await writeFile(policy, "allow:\n  - __main__.*\nrules:\n  unknown-global: clean\n");
    expect((await ckpt("audit", UNKNOWN, "--strict", "--policy", policy)).code).toBe(0);
    await writeFile(policy, JSON.stringify({ deny: ["torch._utils.*"] }));
    expect((await ckpt("audit", CLEAN, "--policy", policy)).code).toBe(1);
  });

  it.each([
    ["allow: [nodot]", "CONFIG_INVALID", "allow.0"],
    ["rules: {no-such-rule: clean}", "CONFIG_INVALID", "no-such-rule"],
    ["rules: {polyglot: fine}", "CONFIG_INVALID", "rules.polyglot"],
    ["alow: []", "CONFIG_INVALID", "alow"],
    ["allow: [", "CONFIG_SYNTAX", "YAML"],
  ])("refuses the policy %s", async (text, errorCode, words) => {
    const policy = join(await scratch(), "policy.yaml");
    await writeFile(policy, text);
    const { code, json } = await ckptJson<{ error: { code: string; message: string } }>("audit", CLEAN, "--policy", policy);
    expect([code, json.error.code]).toEqual([2, errorCode]);
    expect(json.error.message).toContain(words);
  });
});
