/** A small real checkpoint that comes with the page. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  /** What there is to see in it, in a sentence. */
  readonly about: string;
  /** The file to open first, then those beside it. */
  readonly files: readonly [string, ...string[]];
  /** For people: its format and size. */
  readonly facts: string;
}

/** The samples, the most telling first. */
export const SAMPLES: readonly Sample[] = [
  {
    id: "vit-tiny",
    title: "Lightning training run",
    about: "A small vision transformer after 96 steps, with Adam's state, a schedule and callbacks.",
    files: ["vit-tiny.ckpt"],
    facts: "Lightning · 437 KiB",
  },
  {
    id: "diverged",
    title: "A run that diverged",
    about: "One module of this transformer holds NaN. Find out which, and save the rest.",
    files: ["diverged.pt"],
    facts: "PyTorch · 142 KiB",
  },
  {
    id: "sharded",
    title: "Sharded safetensors",
    about: "One model in three files, opened through their index.",
    files: [
      "st-sharded.safetensors.index.json",
      "st-sharded-00001-of-00003.safetensors",
      "st-sharded-00002-of-00003.safetensors",
      "st-sharded-00003-of-00003.safetensors",
    ],
    facts: "safetensors · 3 shards",
  },
  {
    id: "lightning-hparams",
    title: "Hyper-parameters",
    about: "What Lightning saves besides weights: nested hyper-parameters and loop state, read without running them.",
    files: ["lightning-hparams.ckpt"],
    facts: "Lightning · 5 KiB",
  },
  {
    id: "ties",
    title: "Tied weights",
    about: "Several names for the same bytes: what counts once, and what counts twice.",
    files: ["ties.pt"],
    facts: "PyTorch · 4 KiB",
  },
  {
    id: "quantized",
    title: "Quantised tensors",
    about: "Integers that stand for real numbers, with scales for each tensor and each channel.",
    files: ["quantized.pt"],
    facts: "PyTorch · 5 KiB",
  },
  {
    id: "special-numbers",
    title: "Special numbers",
    about: "NaN, infinities and zeros in every floating-point dtype, among good numbers.",
    files: ["special-numbers.pt"],
    facts: "PyTorch · 20 KiB",
  },
  {
    id: "legacy-lstm",
    title: "A file from before 2020",
    about: "torch's legacy format: one pickle after another, no archive around them.",
    files: ["legacy-lstm.pt"],
    facts: "legacy PyTorch · 42 KiB",
  },
  {
    id: "whole-module",
    title: "A pickled model object",
    about: "Somebody saved the model, not its state dict. It names code, and none of it runs here.",
    files: ["whole-module.pt"],
    facts: "PyTorch · 19 KiB",
  },
];

export const sampleById = (id: string): Sample | undefined => SAMPLES.find((sample) => sample.id === id);
