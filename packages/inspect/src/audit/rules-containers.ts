import type { AuditRule } from "./rule.js";

const ASK = "Find out which program made the archive like this. Pack it again, and audit the result.";
const DAMAGED = "Fetch the file again, or compare its size and checksum with the original's.";
const OTHER_FILES = "Find out what made the file like this, and do not load it where files may be read that its maker must not have.";
const UNPACK = "Take it as not looked at: unpack it, and audit what comes out.";

/** A contradiction that no program writes by accident. */
const suspicious = (means: string, advice = ASK): AuditRule => ({ verdict: "suspicious", severity: "warning", means, advice });
const inconclusive = (means: string, advice = UNPACK): AuditRule => ({ verdict: "inconclusive", severity: "warning", means, advice });

/** Rules of archives, and of files whose content is not what they seem. */
export const RULES_OF_CONTAINERS: Readonly<Record<string, AuditRule>> = {
  "zip-two-ends": suspicious("The archive has two end records, so that readers see different archives."),
  "zip-trailing-data": suspicious("Bytes follow the end of the archive: another file, or another archive, that other readers see."),
  "zip-contradicting-ends": suspicious("The end records contradict each other or the directory, so that readers see different archives."),
  "zip-prepended-data": suspicious("Bytes stand in front of the archive: another file that other readers see."),
  "zip-duplicate-name": suspicious("Two members have one name; which of them is loaded depends on the reader. Both were audited."),
  "zip-encrypted": suspicious(
    "A member is marked as encrypted, in one place or in both: scanners skip it, and torch does not look at the mark.",
  ),
  "zip-method": inconclusive("A member is compressed in a way that is not read here."),
  "zip-directory": suspicious("The directory of the archive does not fit the file."),
  "zip-overlap": suspicious("Members overlap, or reach beyond their place, so that readers see different bytes."),
  "zip-size": suspicious("The sizes of a member contradict each other, or are more than compression can explain."),
  "zip-header-mismatch": suspicious("A member's own header says something else than the directory, so that readers see different members."),
  "zip-odd-name": suspicious(
    "A member's name leads out of the folder that it is unpacked into, or is read differently by different systems.",
  ),
  "zip-hidden-bytes": suspicious("Bytes of the archive belong to no member."),
  "zip-hidden-member": suspicious("The archive holds a member that its directory does not list. It was audited as well."),
  "zip-comment": { verdict: "clean", severity: "info", means: "The archive has a comment. No loader reads it.", advice: "Nothing." },
  "zip-two-roots": suspicious("The archive holds two checkpoints; which of them is loaded depends on the reader. Both were audited."),
  "zip-no-directory": inconclusive(
    "The archive has no directory that could be read. Members were looked for by their own headers.",
    DAMAGED,
  ),
  "crc-mismatch": suspicious(
    "The bytes of a member do not have the checksum that is recorded: scanners stop there, and torch does not.",
    DAMAGED,
  ),
  "unreadable-member": inconclusive("A member could not be read.", DAMAGED),
  "unreferenced-member": inconclusive("A member belongs to no tensor, and is nothing that is known here."),
  "hidden-pickle": suspicious("A pickle stands under a name that says otherwise. It was audited as well."),
  "nested-container": inconclusive("The content is packed in a way that is not read here."),
  "packed-content": {
    verdict: "clean",
    severity: "info",
    means: "The content is packed by gzip, zlib or zstd. It was unpacked in memory, and what came out was audited.",
    advice: "Nothing.",
  },
  "packed-unreadable": inconclusive("What is packed could not be unpacked to its end.", DAMAGED),
  "wrong-suffix": suspicious("The file's name promises a format that cannot hold code, and its content is one that can."),
  polyglot: suspicious("The bytes are a file of two formats at once: what is loaded depends on the program. Both were audited."),
  "unknown-format": inconclusive("The content is of no format that is known here."),
  "empty-file": inconclusive("The file has no bytes.", DAMAGED),
  "lfs-pointer": inconclusive("The file only points to the real one, which Git LFS keeps.", "git lfs pull"),
  "reader-refused": inconclusive("The reader of the format refuses the file.", DAMAGED),
  "torchscript-code": {
    verdict: "unknown",
    severity: "info",
    means: "The archive holds a TorchScript program. torch.jit.load runs it within TorchScript, which has no access to Python.",
    advice: "Load it only where its origin is trusted, or take the weights alone.",
  },
  "torchscript-files": suspicious("A TorchScript program reads or writes files.", "Do not run it. Take the weights alone: ckpt convert."),
  "keras-lambda": {
    verdict: "dangerous",
    severity: "error",
    means: "A Keras Lambda layer holds compiled Python code, which runs when the model is loaded or used.",
    advice: "Do not load it. Ask for the model without Lambda layers.",
  },
  "python-source": {
    verdict: "unknown",
    severity: "info",
    means:
      "A Python program is with the model. Programs that load models with their code run it: TorchServe its handlers, torch.package, trust_remote_code.",
    advice: "Read it, or load the weights alone.",
  },
  "tf-graph-files": suspicious(
    "A graph of TensorFlow reads or writes files, or calls Python, when it is run.",
    "Do not run it. Take the weights alone.",
  ),
  "template-code": {
    verdict: "dangerous",
    severity: "error",
    means:
      "The chat template reaches into the inside of Python, from where anything can be called: programs that render templates without a sandbox run it.",
    advice: "Do not load the model. A template needs its messages and nothing else.",
  },
  "ggml-not-read": inconclusive("The model is in a container older than GGUF, of which only the beginning is read.", "Convert it to GGUF."),
  "gguf-split": {
    verdict: "clean",
    severity: "info",
    means: "The file is one of several that a model is split into.",
    advice: "Audit the others as well.",
  },
  "onnx-external-path": suspicious(
    "The model says that values of a tensor are in a file outside of its folder: whoever loads it would read that file.",
    "Find out what made the model like this, and do not load it.",
  ),
  "onnx-tensor": inconclusive("A tensor of the model cannot be read.", DAMAGED),
  "tf-tensor": inconclusive("A tensor of the checkpoint cannot be read.", DAMAGED),
  "tf-bundle-part": {
    verdict: "clean",
    severity: "info",
    means: "The file is a part of a TensorFlow checkpoint, which holds no code: numbers, or the name of the latest one.",
    advice: "Audit its index as well.",
  },
  "keras-config": inconclusive("The configuration of a Keras model is no valid JSON: what it would load is not known.", DAMAGED),
  "hdf5-damaged-object": inconclusive("An object of an HDF5 file could not be read.", DAMAGED),
  "hdf5-damaged-attribute": inconclusive("An attribute of an HDF5 file, such as a model's configuration, could not be read.", DAMAGED),
  "hdf5-truncated": inconclusive("An HDF5 file is shorter than it says.", DAMAGED),
  "hdf5-truncated-data": inconclusive("Values of an HDF5 file are not within it.", DAMAGED),
  "hdf5-not-read": inconclusive("Values of an HDF5 file are stored in a way that is not read here."),
  "hdf5-external-link": suspicious("A name in an HDF5 file leads into another file, which is read in its place.", OTHER_FILES),
  "hdf5-external-data": suspicious(
    "Values of an HDF5 file are in other files, which are read in their place: any file that its reader may read.",
    OTHER_FILES,
  ),
  "hdf5-overlap": suspicious("Two arrays of an HDF5 file share bytes, which no writer makes.", DAMAGED),
  "safetensors-duplicate-key": suspicious("The header names a tensor twice; which of them is loaded depends on the reader."),
  "torch-type-size": inconclusive("The file says that it was written on a machine whose numbers have other sizes."),
};
