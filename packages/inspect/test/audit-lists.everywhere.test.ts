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

describe("methods of harmless classes", () => {
  it.each([
    ["pathlib", "Path.write_text", "dangerous"],
    ["pathlib", "PosixPath.unlink", "dangerous"],
    ["numpy", "ndarray.tofile", "dangerous"],
    ["torch", "UntypedStorage.from_file", "dangerous"],
    ["pandas.core.frame", "DataFrame.query", "dangerous"],
    ["pandas.core.frame", "DataFrame.to_pickle", "dangerous"],
    ["lightning.pytorch.core.module", "LightningModule.load_from_checkpoint", "suspicious"],
    ["torch.nn.modules.linear", "Linear.forward", "unknown"],
    ["datetime", "datetime.fromtimestamp", "unknown"],
  ])("%s %s is %s", (module, name, expected) => expect(judgeGlobal(module, name).verdict).toBe(expected));
});

describe("names of frameworks", () => {
  it.each([
    ["transformers.models.auto.modeling_auto", "AutoModel.from_pretrained", "suspicious"],
    ["transformers.commands.run", "RunCommand", "dangerous"],
    ["datasets.load", "load_dataset", "dangerous"],
    ["accelerate.commands.launch", "launch_command", "suspicious"],
    ["huggingface_hub.file_download", "http_get", "dangerous"],
    ["transformers.training_args", "TrainingArguments", "unknown"],
    ["transformers.activations", "gelu_new", "unknown"],
    ["fastai.data.transforms", "get_image_files", "unknown"],
    ["fastai.vision.core", "PILImage.create", "unknown"],
    ["fastai.learner", "load_learner", "dangerous"],
    ["torchvision.datasets.folder", "default_loader", "unknown"],
    ["torchvision.datasets.utils", "download_url", "dangerous"],
    ["fsspec.core", "open", "dangerous"],
    ["mmcv", "Config.fromfile", "suspicious"],
    ["dill._dill", "_create_array", "unknown"],
    ["torch._dynamo.eval_frame", "OptimizedModule", "unknown"],
    ["torch._dynamo.guards", "GuardBuilder.get", "dangerous"],
    ["keras.layers.core.lambda_layer", "Lambda", "dangerous"],
    ["tensorflow.python.keras.saving.save", "load_model", "dangerous"],
    ["sklearn.neighbors._kd_tree", "newObj", "unknown"],
    ["sklearn.metrics._classification", "f1_score", "clean"],
    ["numpy", "log1p", "clean"],
  ])("%s %s is %s", (module, name, expected) => expect(judgeGlobal(module, name).verdict).toBe(expected));
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
