"""Write the proxy that real HGQ makes of a model.

    make_proxy.py model.h5 proxy.h5 [--aggressive] [--register] [--accum-fp-max-offset N]
        [--unary-lut-max-table-size N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("proxy", type=Path)
    parser.add_argument("--aggressive", action="store_true", help="wrap instead of saturating")
    parser.add_argument("--register", action="store_true", help="skip_precision_reg=False")
    parser.add_argument("--accum-fp-max-offset", type=int)
    parser.add_argument("--unary-lut-max-table-size", type=int, default=-1)
    args = parser.parse_args()
    proxy = reference.conversion.to_proxy_model(
        reference.load_model(args.model),
        aggressive=args.aggressive,
        accum_fp_max_offset=args.accum_fp_max_offset,
        unary_lut_max_table_size=args.unary_lut_max_table_size,
        skip_precision_reg=not args.register,
    )
    proxy.save(args.proxy, save_format="h5")


if __name__ == "__main__":
    main()
