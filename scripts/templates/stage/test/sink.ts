import { CheckpointSourceError } from "@ckptkit/core";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { TemplateNameSink } from "../src/sinks/template-name.js";
import { openFixture } from "./checkpoints.js";
import { memoryPlatform } from "./memory-platform.js";

describe("the sink template_name", () => {
  it("writes the whole, and says where", async () => {
    const platform = memoryPlatform();
    const checkpoint = await openFixture("st-basic.safetensors");
    const { metadata } = await new TemplateNameSink({ path: "out/names.txt" }).process(new CheckpointContext({ checkpoint, platform }));
    const text = new TextDecoder().decode(platform.files.get("out/names.txt"));
    expect(text.trimEnd().split("\n")).toEqual(checkpoint.tensors.map(({ path }) => path));
    expect(metadata.template_name).toBe("names.txt");
  });

  it("leaves nothing behind where it cannot write", async () => {
    const platform = memoryPlatform({}, { "names.txt": new CheckpointSourceError("NO_SPACE", "The disk is full.") });
    const checkpoint = await openFixture("st-basic.safetensors");
    const writing = new TemplateNameSink({ path: "names.txt" }).process(new CheckpointContext({ checkpoint, platform }));
    await expect(writing).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(platform.files.size).toBe(0);
  });

  it("needs a checkpoint and a platform", async () => {
    await expect(new TemplateNameSink({ path: "names.txt" }).process(new CheckpointContext())).rejects.toMatchObject({
      code: "CONTEXT_INCOMPLETE",
    });
  });
});
