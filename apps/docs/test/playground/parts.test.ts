import { describe, expect, it } from "vitest";
import { compareNatural } from "../../playground/engine/natural-order.js";
import { formatCount, formatShare, formatTime } from "../../playground/parts/format.js";
import { createRowPages } from "../../playground/parts/row-pages.js";
import { ScrollScale } from "../../playground/parts/scroll-scale.js";
import { typedAddress } from "../../playground/state/address.js";
import { toggled, withWord, wordOf } from "../../playground/views/tensors/filter-words.js";

describe("what a person types as an address", () => {
  it.each([
    ["https://example.org/a.ckpt", "web", "https://example.org/a.ckpt"],
    ["example.org/models/a.ckpt", "web", "https://example.org/models/a.ckpt"],
    ["openai-community/gpt2", "hugging-face", "hf://openai-community/gpt2"],
    ["openai-community/gpt2/model.safetensors", "hugging-face", "hf://openai-community/gpt2/model.safetensors"],
    ["https://huggingface.co/openai-community/gpt2", "hugging-face", "hf://openai-community/gpt2"],
    [
      "https://huggingface.co/openai-community/gpt2/blob/main/model.safetensors",
      "hugging-face",
      "hf://openai-community/gpt2/model.safetensors",
    ],
    ["https://huggingface.co/a/b/resolve/abc123/x.bin?download=true", "hugging-face", "hf://a/b@abc123/x.bin"],
    ["hf://a/b", "hugging-face", "hf://a/b"],
    [" s3://bucket/key.pt ", "s3", "s3://bucket/key.pt"],
    ["", "none", ""],
    ["hello", "none", "hello"],
    ["gs://bucket/key", "other", "gs://bucket/key"],
  ])("%j is of the kind %s", (text, kind, address) => {
    expect(typedAddress(text)).toEqual({ kind, address });
  });
});

describe("a scroll bar for more rows than an element can hold", () => {
  it("is the place itself where everything fits", () => {
    const scale = new ScrollScale(10_000, 500);
    expect(scale.isScaled).toBe(false);
    expect(scale.offsetOf(1234)).toBe(1234);
    expect(scale.barOf(1234)).toBe(1234);
  });

  it("reaches the first and the last pixel of the rows", () => {
    const scale = new ScrollScale(60_000_000, 800, 12_000_000);
    expect(scale.drawn).toBe(12_000_000);
    expect(scale.offsetOf(0)).toBe(0);
    expect(scale.offsetOf(12_000_000 - 800)).toBeCloseTo(60_000_000 - 800, 3);
  });

  it("keeps the exact place when the browser rounds the bar's", () => {
    const scale = new ScrollScale(60_000_000, 800, 12_000_000);
    const bar = scale.barOf(28);
    expect(scale.offsetOf(Math.round(bar))).toBe(28);
    expect(scale.offsetOf(Math.round(scale.barOf(56)))).toBe(56);
  });
});

describe("rows that are fetched as they come into view", () => {
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

  it("are fetched once each, a page at a time", async () => {
    const asked: string[] = [];
    const pages = createRowPages(async (start, end) => {
      asked.push(`${start}-${end}`);
      return Array.from({ length: end - start }, (_, index) => start + index);
    });
    pages.want(60, 70);
    pages.want(60, 70);
    expect(pages.row(65)).toBeUndefined();
    await settle();
    expect(pages.row(65)).toBe(65);
    pages.want(64, 80);
    expect(asked).toEqual(["0-64", "64-128"]);
  });

  it("stay on screen until newer ones have arrived, and late answers are dropped", async () => {
    let value = "old";
    const pages = createRowPages(async () => {
      const mine = value;
      await settle();
      return [mine];
    });
    pages.want(0, 1);
    await settle();
    await settle();
    expect(pages.row(0)).toBe("old");
    value = "new";
    pages.renew();
    pages.want(0, 1);
    expect(pages.row(0)).toBe("old");
    await settle();
    await settle();
    expect(pages.row(0)).toBe("new");
  });

  it("are forgotten when they are far, so that memory is bounded", async () => {
    const pages = createRowPages(async (start, end) => Array.from({ length: end - start }, (_, index) => start + index));
    for (let page = 0; page < 100; page++) {
      pages.want(page * 64, page * 64 + 1);
      await settle();
    }
    expect(pages.row(0)).toBeUndefined();
    expect(pages.row(99 * 64)).toBe(99 * 64);
  });
});

describe("numbers for people", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1234, "1.23 K"],
    [999_950, "1.00 M"],
    [7_241_732_096, "7.24 B"],
  ])("%d things are %s", (count, text) => expect(formatCount(count)).toBe(text));

  it("has shares and times", () => {
    expect([formatShare(1, 3), formatShare(1, 1e6), formatShare(0, 5), formatShare(5, 5)]).toEqual(["33.3%", "<0.1%", "0%", "100%"]);
    expect([formatTime(0.2), formatTime(84.4), formatTime(1234)]).toEqual(["1 ms", "84 ms", "1.2 s"]);
  });
});

describe("names in the order of people", () => {
  it("compares numbers by value", () => {
    expect(["layer10", "layer2", "layer1", "2", "10", "b", "a"].sort(compareNatural)).toEqual([
      "2",
      "10",
      "a",
      "b",
      "layer1",
      "layer2",
      "layer10",
    ]);
  });
});

describe("words of a filter", () => {
  it("are read, replaced and taken out, and leave the others as they are", () => {
    expect(wordOf("attn dtype:F32 size:>=1MB", "size:>=")).toBe("1MB");
    expect(withWord("attn dtype:F32", "dtype:", "BF16")).toBe("attn dtype:BF16");
    expect(withWord("attn dtype:F32", "dtype:", "")).toBe("attn");
    expect(withWord("attn", "size:>=", "1MB")).toBe("attn size:>=1MB");
    expect(toggled("F32", "BF16")).toBe("F32,BF16");
    expect(toggled("F32,BF16", "F32")).toBe("BF16");
  });
});
