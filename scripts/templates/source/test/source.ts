import { CheckpointContext } from "@ckptkit/core/pipeline";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { TemplateNameSource } from "../src/sources/template-name.js";
import { memoryPlatform } from "./memory-platform.js";

describe("the source template_name", () => {
  it("opens the checkpoint, and says where it came from", async () => {
    const platform = memoryPlatform({ "runs/7/model.safetensors": await loadFixture("st-basic.safetensors") });
    const context = await new TemplateNameSource({ folder: "runs/7/" }).process(new CheckpointContext({ platform }));
    expect(context.checkpoint?.format).toBe("safetensors");
    expect(context.metadata).toMatchObject({ source_type: "template_name", source_path: "runs/7/model.safetensors" });
  });

  it("reads the description, and no tensor", async () => {
    const bytes = await loadFixture("vit-tiny.ckpt");
    const platform = memoryPlatform({ "runs/7/last.ckpt": bytes });
    await new TemplateNameSource({ folder: "runs/7", file: "last.ckpt" }).process(new CheckpointContext({ platform }));
    expect(platform.bytesRead()).toBeLessThan(bytes.length);
  });

  it("says what is not there", async () => {
    const opening = new TemplateNameSource({ folder: "runs/8" }).process(new CheckpointContext({ platform: memoryPlatform() }));
    await expect(opening).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(new TemplateNameSource({ folder: "runs/8" }).process(new CheckpointContext())).rejects.toMatchObject({
      code: "CONTEXT_INCOMPLETE",
    });
  });
});
