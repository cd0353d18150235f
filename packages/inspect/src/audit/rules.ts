import type { AuditRule } from "./rule.js";
import { RULES_OF_CONTAINERS } from "./rules-containers.js";

const DO_NOT_LOAD = "Do not load it with Python. Ask whoever made the file, and load another copy, best as safetensors.";
const ASK = "Find out what made the file like this before it is loaded with Python.";
const READ_ELSE = "Take it as not looked at: unpack it, and audit what comes out.";

/**
 * Every rule of the audit by its name. Findings of readers with other names are passed on, and have no consequence.
 *
 * @example AUDIT_RULES["dangerous-global"]?.means
 */
export const AUDIT_RULES: Readonly<Record<string, AuditRule>> = {
  "dangerous-global": {
    verdict: "dangerous",
    severity: "error",
    means: "The pickle names a function or class that can run code, start programs, or reach files and networks.",
    advice: DO_NOT_LOAD,
  },
  "suspicious-global": {
    verdict: "suspicious",
    severity: "warning",
    means: "The pickle names something of Python's standard library or of a well-known package that checkpoints do not need.",
    advice: "Find out why it is there. If it is harmless, allow it by name in a policy.",
  },
  "unknown-global": {
    verdict: "unknown",
    severity: "info",
    means: "The pickle names classes that are not known here, such as those of the program that made it.",
    advice: "Loading runs these classes' own code: load the file only where that code is trusted.",
  },
  "hidden-attribute": {
    verdict: "dangerous",
    severity: "error",
    means: "getattr is used for something else than to name a class or method, which is a way to functions that are not named.",
    advice: DO_NOT_LOAD,
  },
  "calls-a-result": {
    verdict: "suspicious",
    severity: "warning",
    means: "The pickle calls what another call gave back: which function that is cannot be known without running it.",
    advice: ASK,
  },
  "applied-function": {
    verdict: "suspicious",
    severity: "warning",
    means: "A function that calls its argument is given something that is no plain name of a function.",
    advice: ASK,
  },
  "odd-arguments": {
    verdict: "suspicious",
    severity: "warning",
    means: "A harmless function is called with arguments that no pickler gives it, such as type() with the parts of a new class.",
    advice: ASK,
  },
  "inner-pickle": {
    verdict: "clean",
    severity: "info",
    means: "The pickle holds another pickle as bytes, which is loaded in its turn. It was audited as well.",
    advice: "Read the findings of the inner one.",
  },
  "inner-unreadable": {
    verdict: "suspicious",
    severity: "warning",
    means: "The pickle loads bytes that are not a pickle or archive which could be audited.",
    advice: ASK,
  },
  "pickle-build-global": {
    verdict: "dangerous",
    severity: "error",
    means: "BUILD changes the attributes of a class, function or module itself: a way to replace Python's own functions.",
    advice: DO_NOT_LOAD,
  },
  "pickle-global-changed": {
    verdict: "dangerous",
    severity: "error",
    means: "Items are put into a class, function or module itself: no pickler writes that.",
    advice: DO_NOT_LOAD,
  },
  "pickle-build": {
    verdict: "suspicious",
    severity: "warning",
    means: "BUILD sets attributes of a plain value: no pickler writes that, and Python may stop there.",
    advice: ASK,
  },
  "pickle-opaque-arguments": {
    verdict: "suspicious",
    severity: "warning",
    means: "The arguments of a call come from another call, so they cannot be known without running it.",
    advice: ASK,
  },
  "pickle-memo-overwrite": {
    verdict: "suspicious",
    severity: "warning",
    means: "A slot of the pickle's memo is given a second value: used to hide a name from scanners that match patterns.",
    advice: ASK,
  },
  "pickle-stack-leftover": {
    verdict: "suspicious",
    severity: "warning",
    means: "Values were made and left where no one sees them. They were audited all the same.",
    advice: ASK,
  },
  "pickle-frame": {
    verdict: "suspicious",
    severity: "warning",
    means: "The length of a frame is wrong, so that readers may see different streams.",
    advice: ASK,
  },
  "pickle-protocol": {
    verdict: "suspicious",
    severity: "warning",
    means: "PROTO is missing, misplaced or doubled: no pickler writes that.",
    advice: ASK,
  },
  "pickle-extension": {
    verdict: "suspicious",
    severity: "error",
    means: "An extension code stands for a name that only the loading program's registry knows.",
    advice: DO_NOT_LOAD,
  },
  "pickle-broken": {
    verdict: "inconclusive",
    severity: "error",
    means: "The stream breaks off. What stands before the break was audited, for Python runs it before it notices; the rest is not known.",
    advice: "Fetch the file again, or compare its checksum. Do not load it as it is.",
  },
  "limit-reached": {
    verdict: "inconclusive",
    severity: "error",
    means: "A limit on size, depth or number was reached, and what lies behind it was not looked at.",
    advice: "If the file is known to be that large, raise the limit and audit again.",
  },
  "pickle-after-stop": {
    verdict: "suspicious",
    severity: "warning",
    means: "Another pickle stands behind the end of one that should be alone. It was audited as well.",
    advice: ASK,
  },
  "several-pickles": {
    verdict: "clean",
    severity: "info",
    means: "The file is several pickles in a row. All were audited.",
    advice: "Nothing.",
  },
  "trailing-data": {
    verdict: "inconclusive",
    severity: "warning",
    means: "Bytes that are no pickle follow the end of the pickle.",
    advice: READ_ELSE,
  },
  "legacy-magic-computed": {
    verdict: "dangerous",
    severity: "error",
    means: "The number with which an old torch file begins is the result of a call and not written down: code would run to make it.",
    advice: DO_NOT_LOAD,
  },
  "raw-array": {
    verdict: "inconclusive",
    severity: "warning",
    means:
      "joblib puts the bytes of arrays into the middle of the pickle, here in a way that was not understood; what follows was not read.",
    advice: "Save the arrays as .npz or safetensors.",
  },
  ...RULES_OF_CONTAINERS,
};
