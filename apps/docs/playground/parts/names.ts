const FORMATS: Readonly<Record<string, string>> = {
  "torch-zip": "PyTorch",
  "torch-legacy": "PyTorch, legacy",
  "torch-tar": "PyTorch 0.1",
  "torch-sharded": "PyTorch, sharded",
  "torch-dcp": "PyTorch, distributed",
  torchscript: "TorchScript",
  pt2: "torch.export",
  mar: "TorchServe",
  nemo: "NeMo",
  safetensors: "safetensors",
  "safetensors-sharded": "safetensors, sharded",
  gguf: "GGUF",
  ggml: "ggml",
  npz: "numpy, npz",
  npy: "numpy, npy",
  "flax-msgpack": "Flax",
  keras: "Keras",
  hdf5: "HDF5",
};

const LAYOUTS: Readonly<Record<string, string>> = { lightning: "Lightning", pytorch: "Training state", state_dict: "State dict" };

/** A container format's name for people. */
export const formatName = (format: string): string => FORMATS[format] ?? format;

/** The name of a layout, the way in which a framework arranged what it saved. */
export const layoutName = (layout: string): string => LAYOUTS[layout] ?? layout;
