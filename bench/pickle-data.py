"""Makes what bench/pickle.mjs reads, and times torch on it: `make FOLDER`, `torch FILE`, `plain FILE`."""

import io
import json
import pickle
import sys
import time
import zipfile

import torch


def make(folder):
    """A checkpoint of 50,000 tensors and 200,000 small maps whose data.pkl has about 16 MB; plain data of the same size; what both hold, as JSON."""
    storage = torch.zeros(4096)
    tensors = {
        f"blocks.{i // 10}.layers.{i % 10}.weight": torch.as_strided(storage, (1 + i % 7, 1 + i % 5), (8, 1), i % 1024) for i in range(50_000)
    }
    maps = [{"step": i, "lr": i / 7, "ok": i % 2 == 0, "name": f"event {i}"} for i in range(200_000)]
    torch.save({"state_dict": tensors, "maps": maps}, f"{folder}/checkpoint.pt")
    with zipfile.ZipFile(f"{folder}/checkpoint.pt") as archive, open(f"{folder}/data.pkl", "wb") as out:
        out.write(archive.read("checkpoint/data.pkl"))
    with open(f"{folder}/checkpoint.json", "w") as out:
        seen = [[name, list(t.shape), list(t.stride()), t.storage_offset()] for name, t in tensors.items()]
        json.dump({"tensors": seen, "maps": maps}, out)

    rows = [
        {
            "id": i,
            "name": f"row {i} of the table",
            "values": [i / 3, i * 0.5 + 0.25, -1e-9 * (i + 1)],
            "tags": ["größe" if i % 10 == 0 else "size", f"t{i % 100}"],
            "none": None,
            "large": 2**31 - 1 - i,
            "nested": {"a": i % 256, "b": {"c": i % 65536, "flag": i % 3 == 0}},
        }
        for i in range(105_000)
    ]
    with open(f"{folder}/plain.pkl", "wb") as out:
        out.write(pickle.dumps(rows, 2))
    with open(f"{folder}/plain.json", "w") as out:
        json.dump(rows, out)


def timed(work):
    start = time.perf_counter()
    work()
    print(1000 * (time.perf_counter() - start))


if __name__ == "__main__":
    command, path = sys.argv[1:]
    if command == "make":
        make(path)
    elif command == "torch":
        timed(lambda: torch.load(path, weights_only=True))
    else:
        data = io.BytesIO(open(path, "rb").read())
        timed(lambda: pickle.load(data))
