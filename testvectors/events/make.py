"""The same events in every form of dataset that we read, and files with datasets that we must refuse.

    python make.py        # writes *.h5 beside this file; needs h5py and numpy
"""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
EVENTS, SHAPE = 37, (3, 2)
# Small integers, which every dtype holds.
VALUES = (np.arange(EVENTS * 6).reshape(EVENTS, *SHAPE) * 7 % 101).astype(np.int64)
DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FILTERS = {
    "contiguous": {},
    "chunked": {"chunks": (5, 3, 2)},
    "rows": {"chunks": (1, 3, 2)},
    "columns": {"chunks": (10, 2, 1)},
    "large_chunk": {"chunks": (64, 3, 2), "maxshape": (None, 3, 2)},
    "gzip": {"chunks": (5, 3, 2), "compression": "gzip"},
    "gzip_shuffle": {"chunks": (5, 3, 2), "compression": "gzip", "shuffle": True},
    "lzf": {"chunks": (5, 3, 2), "compression": "lzf"},
    "lzf_shuffle": {"chunks": (8, 3, 2), "compression": "lzf", "shuffle": True},
    "fletcher": {"chunks": (5, 3, 2), "fletcher32": True},
    "extendible": {"chunks": (5, 3, 2), "maxshape": (None, 3, 2), "compression": "gzip"},
    "two_unlimited": {"chunks": (5, 3, 2), "maxshape": (None, None, 2)},
}


def variants() -> None:
    for libver in ["earliest", "v110", "latest"]:
        with h5py.File(HERE / f"variants_{libver}.h5", "w", libver=libver) as f:
            for dtype in DTYPES:
                for order in "<>":
                    name = f"{dtype}_{'little' if order == '<' else 'big'}"
                    f[name] = VALUES.astype(order + dtype)
            for name, options in FILTERS.items():
                for dtype in ["f4", "i2"]:
                    f.create_dataset(f"{name}_{dtype}", data=VALUES.astype(dtype), **options)
            compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            compact.set_layout(h5py.h5d.COMPACT)
            space = h5py.h5s.create_simple(VALUES.shape)
            made = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_INT8, space, compact)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, VALUES.astype("i1"))


def user_block() -> None:
    path = HERE / "user_block.h5"
    with h5py.File(path, "w", userblock_size=1024) as f:
        f["events"] = VALUES.astype("f4")
    with path.open("r+b") as f:
        f.write(b"a text in front of the file")


def extremes() -> None:
    """Values at the ends of each dtype, [event] each."""
    with h5py.File(HERE / "extremes.h5", "w") as f:
        for dtype, bits in [("f2", "u2"), ("f4", "u4"), ("f8", "u8")]:
            info = np.finfo(dtype)
            values = [0, -0.0, np.inf, -np.inf, np.nan, info.max, info.min, info.tiny,
                      info.smallest_subnormal, -info.smallest_subnormal, info.eps, 1 / 3]
            little = np.array(values, dtype)
            if dtype == "f2":  # All of them.
                little = np.arange(1 << 16, dtype="u2").view("f2")
            packed = {"compression": "gzip", "shuffle": True} if dtype == "f2" else {}
            f.create_dataset(f"{dtype}_little", data=little, **packed)
            f.create_dataset(f"{dtype}_big", data=little.astype(">" + dtype), **packed)
            f.create_dataset(f"{dtype}_bits", data=little.view(bits), **packed)
        for dtype in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
            info = np.iinfo(dtype)
            values = np.array([info.min, info.max, 0, 1, info.max - 1, info.min + 1], dtype)
            f[f"{dtype}_little"] = values
            f[f"{dtype}_big"] = values.astype(">" + dtype)


def structures() -> None:
    """Groups, links, and datasets that are no events."""
    with h5py.File(HERE / "structures.h5", "w") as f:
        f["deep/er/events"] = VALUES.astype("f4")
        f["deep/er/loop"] = f["deep"]
        f["soft"] = h5py.SoftLink("/deep")
        f["dangling"] = h5py.SoftLink("/nowhere")
        f["elsewhere"] = h5py.ExternalLink("variants_earliest.h5", "/f4_little")
        f["labels"] = np.eye(5)[np.arange(EVENTS) % 5].astype("u1")
        f["flag"] = np.zeros(EVENTS, bool)
        f["names"] = [f"event {i}" for i in range(EVENTS)]
        f["table"] = np.zeros(EVENTS, [("pt", "f4"), ("eta", "f4")])
        f["scalar"] = 3.5
        f["none"] = np.zeros((0, 4), "f4")
        f["empty"] = h5py.Empty("f4")
        f["ragged"] = np.zeros((EVENTS, 0), "f4")
        f["short"] = np.zeros((EVENTS - 1, 7), "f4")
        f["seven"] = np.zeros((EVENTS, 7), "f4")
        f["complex"] = np.zeros((EVENTS, 9), "c8")
        f["extended"] = np.zeros((EVENTS, 8), np.longdouble)
        f["flat"] = VALUES.reshape(EVENTS, 6).astype("f4")


def unknown_filter() -> None:
    """A chunk that says it went through a filter that no library has."""
    with h5py.File(HERE / "unknown_filter.h5", "w") as f:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((5, 3, 2))
        plist.set_deflate(4)
        space = h5py.h5s.create_simple(VALUES.shape)
        made = h5py.h5d.create(f.id, b"events", h5py.h5t.IEEE_F32LE, space, plist)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, VALUES.astype("f4"))
    path = HERE / "unknown_filter.h5"
    data = bytearray(path.read_bytes())
    # The filter message holds the name; its number, 1 for gzip, is 8 bytes before.
    at = data.index(b"deflate") - 8
    assert data[at : at + 2] == b"\x01\x00"
    data[at : at + 2] = (32099).to_bytes(2, "little")
    path.write_bytes(data)


def damaged_chunk() -> None:
    """A compressed chunk in the middle of which some bytes are lost."""
    path = HERE / "damaged_chunk.h5"
    with h5py.File(path, "w") as f:
        made = f.create_dataset("events", data=VALUES.astype("f4"), chunks=(5, 3, 2),
                                compression="gzip")
        at = made.id.get_chunk_info(3).byte_offset
    with path.open("r+b") as f:
        f.seek(at + 8)
        f.write(bytes(8))


def main() -> None:
    os.chdir(HERE)
    variants()
    user_block()
    extremes()
    structures()
    unknown_filter()
    damaged_chunk()


if __name__ == "__main__":
    main()
