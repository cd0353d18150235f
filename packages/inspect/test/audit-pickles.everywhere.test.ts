import { describe, expect, it } from "vitest";
import { ascii, audit, callOf, concat, HARMLESS, literal, little, PAYLOAD, rulesOf, text, torchZip } from "./hostile.js";

const LEGACY_MAGIC = concat("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");

describe("names that run code", () => {
  it.each([
    ["os", "system"],
    ["posix", "system"],
    ["nt", "system"],
    ["subprocess", "Popen"],
    ["commands", "getoutput"],
    ["__builtin__", "eval"],
    ["builtins", "exec"],
    ["builtins", "__import__"],
    ["runpy", "run_path"],
    ["pip", "main"],
    ["pip._internal.cli.main", "main"],
    ["asyncio.unix_events", "_UnixSubprocessTransport._start"],
    ["uuid", "_get_command_stdout"],
    ["_osx_support", "_read_output"],
    ["imaplib", "IMAP4_stream"],
    ["pkgutil", "resolve_name"],
    ["importlib", "import_module"],
    ["cProfile", "runctx"],
    ["timeit", "timeit"],
    ["pdb", "run"],
    ["bdb", "Bdb.run"],
    ["code", "InteractiveInterpreter.runcode"],
    ["idlelib.pyshell", "ModifiedInterpreter.runcode"],
    ["lib2to3.pgen2.grammar", "Grammar.loads"],
    ["numpy.f2py.crackfortran", "getlincoef"],
    ["numpy.testing._private.utils", "runstring"],
    ["torch.utils.collect_env", "run"],
    ["torch._inductor.codecache", "compile_file"],
    ["torch.hub", "load"],
    ["torch", "load"],
    ["torch.fx.graph_module", "reduce_graph_module"],
    ["torch.jit.unsupported_tensor_ops", "execWrapper"],
    ["pandas.io.pickle", "read_pickle"],
    ["pickle", "loads"],
    ["joblib", "load"],
    ["dill._dill", "_create_function"],
    ["cloudpickle.cloudpickle", "_make_function"],
    ["types", "FunctionType"],
    ["types", "CodeType"],
    ["operator", "attrgetter"],
    ["operator", "methodcaller"],
    ["ctypes", "CDLL"],
    ["socket", "create_connection"],
    ["webbrowser", "open"],
    ["requests.api", "get"],
    ["urllib.request", "urlopen"],
    ["shutil", "rmtree"],
    ["pty", "spawn"],
    ["logging.config", "listen"],
    ["test.support.script_helper", "assert_python_ok"],
    ["ensurepip._bundled", "x"],
  ])("%s.%s is dangerous", async (module, name) => {
    const result = await audit(torchZip(callOf(module, name)));
    expect([result.verdict, rulesOf(result)[0]]).toEqual(["dangerous", "dangerous-global"]);
    expect(result.globals[0]).toMatchObject({ module, name, verdict: "dangerous", places: ["model.pt/archive/data.pkl: byte 2"] });
    expect(result.reason).toContain(`${module}.${name}`);
  });

  it.each([
    ["ast", "literal_eval"],
    ["torch.nn.functional", "no_such_function"],
    ["numpy.lib.stride_tricks", "as_strided"],
    ["operator", "itemgetter"],
    ["mymodule", "system"],
  ])("%s.%s is suspicious: nothing that a checkpoint needs", async (module, name) => {
    const result = await audit(torchZip(callOf(module, name)));
    expect([result.verdict, rulesOf(result)[0]]).toEqual(["suspicious", "suspicious-global"]);
  });

  it("are found through dotted attributes of a harmless module", async () => {
    const dotted = (module: string, name: string) => concat("\x80\x04", text(module), text(name), "\x93)R.");
    for (const [module, name] of [
      ["pathlib", "os.system"],
      ["numpy", "__builtins__"],
      ["mypackage", "helpers.os.system"],
      ["torch.storage", "UntypedStorage.__init_subclass__.__globals__"],
      ["collections", "OrderedDict.__class__.__subclasses__"],
    ] as const) {
      expect((await audit(dotted(module, name))).verdict, `${module} ${name}`).toBe("dangerous");
    }
  });

  it("are not taken for those of a user's own modules", async () => {
    for (const [module, name] of [
      ["__main__", "Net"],
      ["models.yolo", "Model"],
      ["code.model", "Net"],
      ["torch.nn.modules.future", "NewLayer"],
      ["transformers.training_args", "TrainingArguments"],
    ] as const) {
      const result = await audit(torchZip(callOf(module, name)));
      expect([result.verdict, rulesOf(result)[0]], `${module} ${name}`).toEqual(["unknown", "unknown-global"]);
    }
  });
});

describe("tricks with opcodes", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["BUILD that changes a module or class", concat("cmymodule\nThing\n}b."), "pickle-build-global"],
    ["items that are put into a global", concat("cmymodule\nTABLE\nK\x01K\x02s."), "pickle-global-changed"],
    [
      "_rebuild_from_type_v2 as a way to call",
      concat("ctorch._tensor\n_rebuild_from_type_v2\n(cmymodule\nmake\n)Rctorch\nTensor\n)}tR."),
      "applied-function",
    ],
    [
      "the memo overwritten before STACK_GLOBAL",
      concat("\x80\x04", text("a"), "\x94", text("b"), "q\x000h\x00", text("c"), "\x93."),
      "pickle-memo-overwrite",
    ],
    ["STACK_GLOBAL fed by protocol 0 strings", concat("\x80\x04S'posix'\nVsystem\n\x93", text("x"), "\x85R."), "dangerous-global"],
    [
      "STACK_GLOBAL fed from the memo",
      concat("\x80\x04", text("posix"), "\x94", text("system"), "\x940", "h\x00h\x01\x93."),
      "dangerous-global",
    ],
    ["INST", concat("(S'x'\niposix\nsystem\n."), "dangerous-global"],
    ["OBJ", concat("(cposix\nsystem\nS'x'\no."), "dangerous-global"],
    ["OBJ whose result is thrown away", concat("(cposix\nsystem\nS'x'\no0N."), "dangerous-global"],
    ["EXT1", concat("\x80\x02\x82\x01)R."), "pickle-extension"],
    ["EXT4", concat("\x80\x02\x84\x01\0\0\0)R."), "pickle-extension"],
    ["a payload before a parse error", concat("\x80\x02cposix\nsystem\nX", little(1, 4), "x\x85R\xff"), "dangerous-global"],
    ["a payload before the end of the bytes", concat("\x80\x02cposix\nsystem\n"), "dangerous-global"],
    ["a frame that is longer than the stream", concat("\x80\x04\x95", little(1000, 8), "N."), "pickle-frame"],
    ["PROTO twice", concat("\x80\x02\x80\x04N."), "pickle-protocol"],
    ["PROTO in the middle", concat("N0\x80\x02N."), "pickle-protocol"],
    ["no PROTO before opcodes of protocol 4", concat(text("mymodule"), text("Thing"), "\x93)\x81."), "pickle-protocol"],
    ["values left on the stack", concat("cmymodule\nThing\n)RN."), "pickle-stack-leftover"],
    ["a call of what a call gives", concat("cmymodule\nmake\n)R)R."), "calls-a-result"],
    ["arguments that a call gives", concat("cmymodule\nf\ncmymodule\nargs\n)RR."), "pickle-opaque-arguments"],
    ["getattr with a computed name", concat("cbuiltins\ngetattr\n(cmymodule\nThing\ncmymodule\nname\n)RtR."), "hidden-attribute"],
    ["a ufunc that is no plain name", concat("cnumpy.core\n_ufunc_reconstruct\n(cmymodule\nname\n)RVx\ntR."), "hidden-attribute"],
    ["a ufunc that is none", concat("cnumpy.core\n_ufunc_reconstruct\n(Vposix\nVsystem\ntR."), "dangerous-global"],
    ["dill's way to apply a function", concat("cdill._dill\n_create_array\n(cmymodule\nmake\n)R)tR."), "applied-function"],
    ["getattr of what a call gives", concat("cbuiltins\ngetattr\n(cmymodule\nmake\n)RVx\ntR."), "hidden-attribute"],
    ["getattr handed to another function", concat("cfunctools\npartial\n(cbuiltins\ngetattr\nVx\ntR."), "hidden-attribute"],
    ["getitem of something that is no type", concat("c_operator\ngetitem\n(cmymodule\nTABLE\nVsystem\ntR."), "odd-arguments"],
    ["getitem handed to another function", concat("cfunctools\npartial\n(c_operator\ngetitem\nVx\ntR."), "odd-arguments"],
    ["getattr that reaches into Python", concat("cbuiltins\ngetattr\n(cmymodule\nThing\nV__globals__\ntR."), "dangerous-global"],
    ["type() with the parts of a class", concat("cbuiltins\ntype\n(VX\n)}tR."), "odd-arguments"],
    ["_codecs.encode with another codec", concat("c_codecs\nencode\n(Vcbfvk\nVrot13\ntR."), "odd-arguments"],
  ])("%s", async (_, pickle, rule) => {
    const result = await audit(torchZip(pickle));
    expect(rulesOf(result)).toContain(rule);
    expect(["dangerous", "suspicious"]).toContain(result.verdict);
  });

  it("types in brackets and time zones are no trick", async () => {
    const generic = await audit(torchZip(concat("c_operator\ngetitem\n(ctyping\nList\nc__builtin__\nint\ntR.")));
    const zone = await audit(torchZip(concat("cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle\ntR(VEurope/Berlin\nK\x01tR.")));
    expect([generic.verdict, zone.verdict]).toEqual(["clean", "clean"]);
  });

  it("getattr that names a nested class or a bound method is no trick", async () => {
    const nested = await audit(torchZip(concat("cbuiltins\ngetattr\n(cmymodule\nOuter\nVInner\ntR)R.")));
    expect([nested.verdict, nested.globals.map(({ name }) => name).sort()]).toEqual(["unknown", ["Outer", "Outer.Inner", "getattr"]]);
  });
});

describe("several pickles and what follows them", () => {
  it("a second pickle behind STOP in an archive", async () => {
    const result = await audit(torchZip(concat(HARMLESS, PAYLOAD)));
    expect([result.verdict, rulesOf(result).slice(0, 2)]).toEqual(["dangerous", ["dangerous-global", "pickle-after-stop"]]);
    const harmless = await audit(torchZip(concat(HARMLESS, HARMLESS)));
    expect([harmless.verdict, rulesOf(harmless)[0]]).toEqual(["suspicious", "pickle-after-stop"]);
  });

  it("several pickles in a file of their own are all audited", async () => {
    expect(await audit(concat(HARMLESS, HARMLESS), "a.pkl")).toMatchObject({ verdict: "clean", findings: [{ rule: "several-pickles" }] });
    expect((await audit(concat(HARMLESS, HARMLESS, PAYLOAD), "a.pkl")).verdict).toBe("dangerous");
  });

  it("data behind the end", async () => {
    const result = await audit(concat(HARMLESS, "\xff\xff\xff\xff"), "a.pkl");
    expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", ["trailing-data"]]);
  });

  it("a legacy magic number that is computed", async () => {
    const computed = concat("\x80\x02cmymodule\nnumber\n)R.", "\x80\x02M\xe9\x03.", HARMLESS, HARMLESS, "\x80\x02].");
    expect((await audit(computed)).findings).toContainEqual(expect.objectContaining({ rule: "legacy-magic-computed", severity: "error" }));
    expect((await audit(concat("\x80\x02cbuiltins\neval\nX", little(2, 4), "42\x85R.", computed))).verdict).toBe("dangerous");
  });

  it("a payload in any of the pickles of a legacy file", async () => {
    const parts = [LEGACY_MAGIC, concat("\x80\x02M\xe9\x03."), HARMLESS, HARMLESS, concat("\x80\x02].")];
    expect((await audit(concat(...parts))).verdict).toBe("clean");
    for (let index = 1; index < parts.length; index++) {
      const bytes = concat(...parts.map((part, at) => (at === index ? PAYLOAD : part)));
      expect((await audit(bytes)).verdict, `pickle ${index}`).toBe("dangerous");
    }
  });
});

describe("pickles within pickles", () => {
  const loader = (inner: Uint8Array) => concat("\x80\x03ctorch.storage\n_load_from_bytes\n", literal(inner), "\x85R.");
  it("are audited as data", async () => {
    expect(await audit(loader(HARMLESS), "a.pkl")).toMatchObject({ verdict: "clean", findings: [{ rule: "inner-pickle" }] });
    const result = await audit(loader(PAYLOAD), "a.pkl");
    expect([result.verdict, rulesOf(result)]).toEqual(["dangerous", ["dangerous-global", "inner-pickle"]]);
    expect(result.globals[0]?.places).toEqual([expect.stringContaining("> inner: byte 2")]);
    expect((await audit(loader(ascii("?")), "a.pkl")).findings).toContainEqual(expect.objectContaining({ rule: "inner-unreadable" }));
  });

  it("are followed through base64", async () => {
    const base64 = btoa(String.fromCharCode(...PAYLOAD));
    const bytes = concat("\x80\x04cpickle\nloads\ncbase64\nb64decode\nX", little(base64.length, 4), base64, "\x85R\x85R.");
    expect((await audit(bytes, "a.pkl")).globals.map(({ name }) => name).sort()).toEqual(["b64decode", "loads", "system"]);
  });

  it("are followed no deeper than a limit", async () => {
    let bytes: Uint8Array = HARMLESS;
    for (let depth = 0; depth < 12; depth++) bytes = loader(bytes);
    const result = await audit(bytes, "a.pkl");
    expect([result.verdict, rulesOf(result)[0]]).toEqual(["inconclusive", "limit-reached"]);
  });
});

describe("budgets", () => {
  it("that are hit make a file inconclusive, never clean", async () => {
    const late = concat("\x80\x02", "N0".repeat(5000), PAYLOAD.subarray(2));
    const limited = await audit(torchZip(late), "model.pt", { limits: { pickleOpcodes: 1000 } });
    expect([limited.verdict, rulesOf(limited)]).toEqual(["inconclusive", ["limit-reached"]]);
    expect((await audit(torchZip(late))).verdict).toBe("dangerous");
  });

  it("keep memory and time within bounds for declared lengths and nesting", async () => {
    for (const pickle of [
      concat("\x80\x04\x8e", little(2 ** 50, 8), "."),
      concat("\x80\x02", "(".repeat(100_000)),
      concat("\x80\x02r\xff\xff\xff\xff"),
    ]) {
      expect((await audit(torchZip(pickle))).verdict).toBe("inconclusive");
    }
  });
});
