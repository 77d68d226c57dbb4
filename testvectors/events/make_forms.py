"""The same events in every form of file, and one file per way in which NumPy's files go wrong.

    python make_forms.py        # writes forms/ beside this file; needs h5py and numpy

The events are some of `../golden/jet_mlp/events.h5`, rounded to float16 so that every dtype holds
them.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
FORMS = HERE / "forms"
EVENTS = 120
NAMES = [f"x{i}" for i in range(16)]


def events() -> np.ndarray:
    with h5py.File(HERE / "../golden/jet_mlp/events.h5") as f:
        values = f["events"][:EVENTS]
    return values.astype("f2").astype("f8")


def table(values: np.ndarray, order: str = "<") -> np.ndarray:
    """Structs with the columns of the events among other fields, in another order."""
    kinds = ["f4", "f2", "f8", "f4"]
    fields = [("event", order + "i8"), ("name", "S3"), ("good", "?")]
    fields += [(name, order + kinds[i % 4]) for i, name in reversed(list(enumerate(NAMES[:12])))]
    fields += [("rest", order + "f4", 4)]
    made = np.zeros(len(values), fields)
    made["event"] = np.arange(len(values)) + (1 << 60)
    made["name"] = b"jet"
    for i, name in enumerate(NAMES[:12]):
        made[name] = values[:, i]
    made["rest"] = values[:, 12:]
    return made


def hdf5(values: np.ndarray) -> None:
    chunked = {"chunks": (50, 16)}
    structs = table(values)
    with h5py.File(FORMS / "datasets.h5", "w") as f:
        for order, suffix in [("<", "le"), (">", "be")]:
            for dtype in ["f2", "f4", "f8"]:
                f[f"{dtype}_{suffix}"] = values.astype(order + dtype)
        f.create_dataset("gzip", data=values.astype("f4"), **chunked, compression="gzip",
                         shuffle=True)
        f.create_dataset("lzf", data=values.astype("f2"), **chunked, compression="lzf")
        f.create_dataset("columns_split", data=values.astype("f4"), chunks=(50, 5),
                         compression="gzip")
        wide = np.concatenate([np.full((EVENTS, 3), 7.0), values, np.full((EVENTS, 2), 9.0)], 1)
        f["wide"] = wide.astype("f4")
        f.create_dataset("wide_gzip", data=wide.astype(">f8"), chunks=(50, 4), compression="gzip")
    with h5py.File(FORMS / "tables.h5", "w") as f:
        f["plain"] = structs
        f.create_dataset("chunked", data=structs, chunks=(50,))
        f.create_dataset("gzip", data=structs, chunks=(50,), compression="gzip", shuffle=True,
                         fletcher32=True)
        f.create_dataset("lzf", data=structs, chunks=(33,), compression="lzf", maxshape=(None,))
        # Structs of one event in two rows of eight, and in chunks that split them.
        pairs = np.zeros((EVENTS, 8), [("a", "<f4"), ("skip", "i1"), ("b", "<f8")])
        pairs["a"], pairs["b"] = values[:, 0::2], values[:, 1::2]
        f["pairs"] = pairs
        f.create_dataset("pairs_gzip", data=pairs, chunks=(7, 8), compression="gzip")
        f.create_dataset("pairs_split", data=pairs, chunks=(7, 4), compression="gzip")
        # What has to be refused.
        f["big_endian"] = table(values, ">")[:2]
        f["long"] = np.zeros(2, [("i", "<i8"), ("f", "<f4")])
        with_odd = f["long"][:]
        with_odd["i"] = [(1 << 53) + 1, 5]
        f["long"][:] = with_odd
        f.create_dataset("unwritten", (EVENTS,), structs.dtype, chunks=(50,), compression="gzip")
        f["unknown"] = np.zeros(2, [("a", "<f4"), ("m", "<f4", (2, 2))])
    with h5py.File(FORMS / "user_block.h5", "w", userblock_size=512) as f:
        f["plain"] = structs
        f.create_dataset("gzip", data=structs, chunks=(50,), compression="gzip")
    with (FORMS / "user_block.h5").open("r+b") as f:
        f.write(b"a text in front of the file")


def npy(values: np.ndarray) -> None:
    for name, dtype, version in [
        ("v1_f4", "<f4", (1, 0)),
        ("v2_f8", "<f8", (2, 0)),
        ("v3_f2", "<f2", (3, 0)),
        ("v1_f4_be", ">f4", (1, 0)),
        ("v1_f2_be", ">f2", (1, 0)),
    ]:
        with (FORMS / f"{name}.npy").open("wb") as f:
            np.lib.format.write_array(f, values.astype(dtype), version)
    np.save(FORMS / "table.npy", table(values))
    np.save(FORMS / "table_be.npy", table(values, ">"))
    np.save(FORMS / "fortran.npy", np.asfortranarray(values[:3].astype("f4")))
    np.save(FORMS / "objects.npy", np.array([[1], "two"], object), allow_pickle=True)
    # All dtypes, for their ends.
    ends = {}
    for dtype in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
        info = np.iinfo(dtype)
        ends[dtype] = np.array([info.min, info.max, 0, 1], dtype)
    for dtype in ["f2", "f4", "f8"]:
        info = np.finfo(dtype)
        ends[dtype] = np.array([info.max, -info.smallest_subnormal, np.inf, -0.0], dtype)
    ends["b1"] = np.array([True, False, True, True])
    swapped = {f"{k}_be": v.astype(v.dtype.newbyteorder(">")) for k, v in ends.items()}
    np.savez(FORMS / "ends.npz", **ends, **swapped)


def npz(values: np.ndarray) -> None:
    labels = np.eye(5, dtype="f4")[np.arange(EVENTS) % 5]
    members = {
        "events": values.astype("f4"),
        "labels": labels,
        "names": np.array(["jet"] * EVENTS),
        "table": table(values),
    }
    np.savez(FORMS / "stored.npz", **members)
    np.savez_compressed(FORMS / "compressed.npz", **members)
    np.savez(FORMS / "positional.npz", values.astype("f8"))
    # What NumPy does not write itself.
    buffer = io.BytesIO()
    np.save(buffer, values.astype("f4"))
    with zipfile.ZipFile(FORMS / "bzip2.npz", "w", zipfile.ZIP_BZIP2) as f:
        f.writestr("events.npy", buffer.getvalue())
    with zipfile.ZipFile(FORMS / "other_files.npz", "w", zipfile.ZIP_DEFLATED) as f:
        f.writestr("readme.txt", "no array")
        # In a stream the sizes come behind the data.
        with f.open("group/events.npy", "w") as member:
            member.write(buffer.getvalue())


def main() -> None:
    FORMS.mkdir(exist_ok=True)
    values = events()
    assert np.array_equal(values.astype("f2").astype("f8"), values)
    hdf5(values)
    npy(values)
    npz(values)


if __name__ == "__main__":
    main()
