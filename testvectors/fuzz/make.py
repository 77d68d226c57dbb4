"""Small files of events in every form, for the fuzzer: the fewer bytes, the more of them matter.

    python make.py        # writes the files of ORIGIN.md beside this one

Run it in the environment of scripts/oracle.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
EVENTS = HERE.parent / "golden" / "a_leaky" / "events.h5"
COUNT = 24


def main() -> None:
    with h5py.File(EVENTS) as file:
        values = file["events"][:COUNT].astype("f4")
    chunked = {"chunks": (7, 16)}
    forms = {
        "contiguous": {},
        "chunked": chunked,
        "split_chunks": {"chunks": (7, 5)},
        "gzip": {**chunked, "compression": "gzip", "shuffle": True},
        "lzf": {**chunked, "compression": "lzf", "fletcher32": True},
        "extendible": {**chunked, "maxshape": (None, 16), "compression": "gzip"},
    }
    for version in ("earliest", "latest"):
        for name, options in forms.items():
            with h5py.File(HERE / f"{name}_{version}.h5", "w", libver=version) as file:
                file.create_dataset("events", data=values, **options)
    fields = [("a", "<f4"), ("b", "<i2", (2,)), ("c", "<f8"), ("rest", "<f4", (12,))]
    table = np.zeros(COUNT, fields)
    table["a"] = values[:, 0]
    table["c"] = values[:, 3]
    table["rest"] = values[:, 4:]
    for name in ("contiguous", "gzip", "lzf"):
        with h5py.File(HERE / f"table_{name}.h5", "w", libver="earliest") as file:
            options = {**forms[name]}
            if "chunks" in options:
                options["chunks"] = (7,)
            file.create_dataset("table", data=table, **options)
    with h5py.File(HERE / "groups.h5", "w", libver="earliest") as file:
        for n in range(12):
            group = file.create_group(f"g{n}")
            group.attrs["unit"] = "GeV"
            group["id"] = np.arange(3)
        file["g1/soft"] = h5py.SoftLink("/g2")
        file["g3/again"] = file["g1"]
        file["g4/events"] = values.astype(">f8")
    np.save(HERE / "array.npy", values)
    np.save(HERE / "table.npy", table)
    np.savez(HERE / "stored.npz", events=values, labels=np.arange(COUNT))
    np.savez_compressed(HERE / "deflated.npz", events=values, table=table)
    names = [f"c{n}" for n in range(values.shape[1])]
    rows = [[repr(float(value)) for value in row] for row in values]
    text = "\n".join([",".join(names), *(",".join(row) for row in rows), ""])
    (HERE / "headed.csv").write_bytes(text.encode())
    lines = [f"# {COUNT} events", *(";".join(row) for row in rows)]
    (HERE / "semicolons.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    (HERE / "tb_input_features.dat").write_bytes("\n".join(" ".join(row) for row in rows).encode())


if __name__ == "__main__":
    main()
