"""What QKeras' `safe_eval` makes of texts: hand-picked ones and random ones.

    python make.py > vectors.json

Needs QKeras 0.9.0 and pyparsing 3.3.3. Each entry is [text, name, arguments]: `arguments` is null
without exactly one bracket, "error" where QKeras raises, else [positional, keywords]. A float is
written as ["float", repr], as JSON has neither NaN nor infinities.
"""

from __future__ import annotations

import json
import os
import random

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

tf.keras.layers  # Before QKeras.
from qkeras.safe_eval import GetParams

PICKED = """
quantized_bits(8, 3, alpha=1)
quantized_bits
quantized_bits()
quantized_bits( )
 quantized_bits(4)
quantized_bits (4)
quantized_bits(4,0,1,(1))
quantized_bits(4)garbage
quantized_bits(4
quantized_bits(4))
quantized_bits(8,,0)
quantized_bits(,8)
quantized_bits(8,)
quantized_bits(8 0)
quantized_bits(bits=8,0)
quantized_bits(bits=8,integer=0,1)
quantized_bits(bits=8,bits=6)
quantized_bits( bits = 8 , alpha = 1.0 )
quantized_bits(8,0,alpha='auto')
quantized_bits(8,0,alpha="auto_po2")
quantized_bits(8,0,alpha=auto)
quantized_bits(8,0,alpha=None)
quantized_bits(8,0,None)
quantized_bits(8,0,alpha=[1,2])
quantized_bits(8,0,true)
quantized_bits(8,0,keep_negative=False)
quantized_bits(8,0,keep_negative=false)
quantized_bits(8,0,keep_negative=True )
quantized_bits(1e0)
quantized_bits(1_0)
quantized_bits(1__0)
quantized_bits(_1)
quantized_bits(-1)
quantized_bits(+7)
quantized_bits(007)
quantized_bits(.5)
quantized_bits(5.)
quantized_bits(1.5e-3)
quantized_bits(1e400)
quantized_bits(nan)
quantized_bits(-inf)
quantized_bits(Infinity)
quantized_bits(infinit)
quantized_bits(0x10)
quantized_bits(1e)
quantized_bits(e1)
quantized_bits(99999999999999999999)
quantized_bits(bits=)
quantized_bits(=8)
quantized_bits(a==8)
quantized_bits(a=b=c)
quantized_bits('')
quantized_bits(')
quantized_bits(x)
quantized_bits('a b')
quantized_bits(alpha='a b')
quantized_bits(alpha= 'auto' )
quantized_bits(1_000.5_0)
quantized_bits(1_.5)
quantized_bits(1._5)
quantized_relu(6)
relu
relu(6)
hard_sigmoid
""".strip("\n").split("\n") + [
    "",
    "(",
    ")",
    "()",
    "(())",
    "f(1\t,\t2)",
    "f(1\n,2)",
    "f(a=1\n2)",
    "f(\u00a01)",
    "f(a=\u00a01)",
    "f(a='\u00e9')",
    "f(\x1c1)",
    "f(a=1\x1f)",
]
TOKENS = ["1", "8", "0.5", "True", "False", "None", "auto", "'auto'", "bits", "alpha", "=", ",",
          "(", ")", " ", " ", "_", "-", "+", ".", "e", "nan", "inf", "\t", "\"", "[", "]"]


def value(v):
    return ["float", repr(v)] if isinstance(v, float) else v


def describe(text: str):
    parts = text.split("(")
    if len(parts) != 2:
        return [text, parts[0], None]
    try:
        args, kwargs = GetParams("(" + parts[1])
    except BaseException:  # pyparsing, SyntaxError, IndexError: the file cannot be loaded.
        return [text, parts[0], "error"]
    return [text, parts[0], [[value(a) for a in args], {k: value(v) for k, v in kwargs.items()}]]


def main() -> None:
    rng = random.Random(5)
    texts = list(PICKED)
    while len(texts) < len(PICKED) + 3000:
        inner = "".join(rng.choice(TOKENS) for _ in range(rng.randrange(1, 10)))
        texts.append(f"f({inner})" if rng.random() < 0.9 else inner)
    found = [describe(t) for t in dict.fromkeys(texts)]
    print("[")
    print(",\n".join(json.dumps(f) for f in found))
    print("]")


if __name__ == "__main__":
    main()
