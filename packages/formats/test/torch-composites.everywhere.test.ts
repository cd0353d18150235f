import { isNode } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { describe, expect, it } from "vitest";
import { openTorchZip } from "../src/index.js";
import { call, dict, global, SIX, tensor, torchZip, tuple } from "./torch-file.js";
import { rulesOf } from "./torch-outcomes.js";

/** A numpy array of six float32 numbers, as numpy 1 pickles it. */
const array = (): PickleValue => {
  const dtype = { ...call("numpy.dtype", "f4", false, true), states: [tuple(3, "<", null, null, null, -1, -1, 0)] };
  const made = call("numpy.core.multiarray._reconstruct", global("numpy.ndarray"), tuple(0), new Uint8Array([98]));
  return { ...made, states: [tuple(1, tuple(6), dtype, false, SIX)] };
};

const openOne = async (value: PickleValue) => openTorchZip(torchZip(dict({ w: value })));

describe("tensors that stood on other devices", () => {
  it.each(["_rebuild_device_tensor_from_numpy", "_rebuild_xla_tensor"])("are read from their numpy arrays: %s", async (name) => {
    const { tensors } = await openOne(call(`torch._utils.${name}`, array(), global("torch.float32"), "xla:0", true));
    expect(tensors.map(({ path, dtype, shape, spec }) => [path, dtype, shape, spec.requiresGrad])).toEqual([["w", "F32", [6], true]]);
    expect(await tensors[0]?.read()).toEqual(SIX);
  });

  it("are bfloat16 where torch stored them as float32, for want of a numpy type", async () => {
    const { tensors } = await openOne(call("torch._utils._rebuild_xla_tensor", array(), global("torch.bfloat16"), "xla:0", false));
    const [w] = tensors;
    expect([w?.dtype, w?.shape, w?.byteLength]).toEqual(["BF16", [6], 12]);
    const whole = await w?.read();
    // The numbers 1 to 6 are exact in bfloat16: the upper half of their float32.
    expect(whole).toEqual(new Uint8Array(new Uint16Array([0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0]).buffer));
    const odd = new Uint8Array(5);
    await w?.storage?.readInto(odd, 3);
    expect(odd).toEqual(whole?.slice(3, 8));
  });

  it("are read from what they were on the CPU", async () => {
    const { tensors } = await openOne(
      call("torch._utils._rebuild_device_tensor_from_cpu_tensor", tensor(), global("torch.float32"), "hpu:0", false),
    );
    expect(tensors.map(({ path }) => path)).toEqual(["w"]);
  });

  it("of a dtype that their array does not have are shown as what they are", async () => {
    const { tensors, tree } = await openOne(call("torch._utils._rebuild_xla_tensor", array(), global("torch.int64"), "xla:0", false));
    expect(tensors.map(({ path }) => path)).toEqual(["w.__args__.0"]);
    expect(isNode(tree) && tree.kind === "map" && tree.entries[0]?.[1]).toMatchObject({ type: "torch._utils._rebuild_xla_tensor" });
  });
});

describe("subclasses of tensors", () => {
  const rebuilt = (func: string, args: PickleValue, state: PickleValue): PickleValue =>
    call("torch._tensor._rebuild_from_type_v2", global(func), global("package.Kind"), args, state);
  const plain = (): PickleValue => tuple(...tensor().args);

  it("are read through any number of them", async () => {
    const once = rebuilt("torch._utils._rebuild_tensor_v2", plain(), dict({}));
    const twice = rebuilt(
      "torch._tensor._rebuild_from_type_v2",
      tuple(global("torch._utils._rebuild_tensor_v2"), global("package.Inner"), plain(), dict({})),
      dict({}),
    );
    for (const value of [once, twice]) {
      const { tensors } = await openOne(value);
      expect(tensors.map(({ path }) => path)).toEqual(["w"]);
      expect(await tensors[0]?.read()).toEqual(SIX);
    }
  });

  it("say so when they have tensors among their own attributes", async () => {
    const checkpoint = await openOne(rebuilt("torch._utils._rebuild_tensor_v2", plain(), dict({ note: "x", scale: tensor() })));
    expect(rulesOf(checkpoint)).toEqual(["torch-tensor-attributes"]);
    const parameter = call(
      "torch._utils._rebuild_parameter_with_state",
      tensor(),
      true,
      call("collections.OrderedDict"),
      dict({ note: "x" }),
    );
    expect(rulesOf(await openOne(parameter))).toEqual([]);
  });

  it("that wrap others show these under their names, and their own type, dtype and shape", async () => {
    const described = tuple(global("package.Wrapper"), global("torch.float16"), tuple(4, 3), tuple(3, 1), 0, null, null, false);
    const { tensors, metadata } = await openOne(rebuilt("torch._utils._rebuild_wrapper_subclass", described, dict({ inner: tensor() })));
    expect(tensors.map(({ path }) => path)).toEqual(["w.inner"]);
    expect(metadata).toMatchObject({ w: { $type: "package.Wrapper", dtype: "torch.float16", size: [4, 3] } });
  });

  it("that name a function which makes no tensor are opaque", async () => {
    for (const func of ["os.system", "builtins.getattr", "collections.OrderedDict", "torch.Size"]) {
      const { tree } = await openOne(rebuilt(func, tuple(tuple(1, 2)), dict({})));
      expect(isNode(tree) && tree.kind === "map" && tree.entries[0]?.[1], func).toMatchObject({
        kind: "object",
        type: "torch._tensor._rebuild_from_type_v2",
      });
    }
  });
});
