// Runs cases of check.py with the C++ ap_types headers and prints one hash for each.
//
// The generated main gives the types, because they are template arguments. The Rust example
// `ap_fixed_stream` draws the same arguments from the same generator; only hashes are compared.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ap_fixed.h"

/// The one case to print operation by operation, or -1 for the hashes of all.
static long shown = -1;

/// splitmix64.
struct Random {
    uint64_t state;
    uint64_t next() {
        uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
};

/// The results of a case in their order, as a hash or as text.
struct Results {
    long number;
    uint64_t hash = 0xcbf29ce484222325ULL;
    Results(long number) : number(number) {}
    void add(const char *arguments, uint64_t result) {
        if (shown == number) printf("%s = %llx\n", arguments, (unsigned long long)result);
        hash = (hash ^ result) * 0x100000001b3ULL;
        hash ^= hash >> 29;
    }
    ~Results() {
        if (shown < 0) printf("%ld %016llx\n", number, (unsigned long long)hash);
    }
};

/// Arguments of one operation as text; empty unless they are shown.
struct Text {
    char buffer[512];
    int length = 0;
    bool wanted;
    Text(const Results &results) : wanted(shown == results.number) { buffer[0] = 0; }
    Text &operator<<(uint64_t bits) {
        if (wanted) length += snprintf(buffer + length, sizeof buffer - length, " %llx", (unsigned long long)bits);
        return *this;
    }
};

inline bool wanted(long number) { return shown < 0 || shown == number; }

template <class T>
struct Sign;
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N>
struct Sign<ap_fixed<W, I, Q, O, N>> { static const bool has = true; };
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N>
struct Sign<ap_ufixed<W, I, Q, O, N>> { static const bool has = false; };

/// The low bits of a value, as a raw of the type: sign or zeros above.
template <class T>
uint64_t to_width(uint64_t bits) {
    const bool is_signed = Sign<T>::has;
    if (T::width == 64) return bits;
    const int above = 64 - T::width;
    return is_signed ? (uint64_t)((int64_t)(bits << above) >> above) : bits << above >> above;
}

/// A raw where something happens: anything, next to a power of two, small, next to a tie.
template <class T>
uint64_t draw(Random &random, unsigned tie) {
    const uint64_t a = random.next(), b = random.next();
    const uint64_t small = (b >> 16) % 3 - 1;
    const uint64_t half = tie > 0 ? 1ULL << (tie - 1) : 0;
    uint64_t bits = a;
    switch (b & 3) {
    case 1:
        bits = 1ULL << ((b >> 24) % T::width);
        if (b & 4) bits = -bits;
        bits += small;
        if (b & 8) bits += half;
        break;
    case 2:
        bits = (uint64_t)((int64_t)a >> ((b >> 24) & 63));
        break;
    case 3:
        bits = (uint64_t)((int64_t)a >> ((b >> 24) & 63));
        if (tie > 0) bits = (bits >> (tie - 1) >> 1 << (tie - 1) << 1) + half + small;
        break;
    }
    return to_width<T>(bits);
}

template <class T>
T from_raw(uint64_t raw) {
    T x;
    x.V = (unsigned long long)raw;
    return x;
}

template <class T>
uint64_t raw_of(const T &x) {
    return to_width<T>((uint64_t)x.V.to_uint64());
}

template <class Target, class Source>
void cast(long number, uint64_t seed, long count, unsigned tie) {
    Results results(number);
    Random random{seed};
    for (long i = 0; i < count; ++i) {
        const uint64_t raw = draw<Source>(random, tie);
        const Target y = from_raw<Source>(raw);
        results.add((Text(results) << raw).buffer, raw_of(y));
    }
}

/// Every raw, in ascending order of its bits.
template <class Target, class Source>
void every(long number) {
    Results results(number);
    for (uint64_t bits = 0; bits < 1ULL << Source::width; ++bits) {
        const uint64_t raw = to_width<Source>(bits);
        const Target y = from_raw<Source>(raw);
        results.add((Text(results) << raw).buffer, raw_of(y));
    }
}

/// Doubles with exponents in a range, some with few bits, now and then a zero, an infinity or NaN.
template <class Target>
void from_double(long number, uint64_t seed, long count, long low, long exponents) {
    Results results(number);
    Random random{seed};
    for (long i = 0; i < count; ++i) {
        const uint64_t a = random.next(), b = random.next();
        const unsigned cleared = (b >> 32) % 53;
        uint64_t exponent = 1023 + low + (long)((b >> 8) % (uint64_t)exponents);
        uint64_t mantissa = a >> 12 >> cleared << cleared;
        switch (b >> 56) {
        case 0: exponent = mantissa = 0; break;
        case 1: exponent = 2047, mantissa = 0; break;
        case 2: exponent = 2047, mantissa |= 1ULL << 51; break;
        }
        const uint64_t bits = (b & 1) << 63 | exponent << 52 | mantissa;
        double x;
        memcpy(&x, &bits, sizeof x);
        const Target y = x;
        results.add((Text(results) << bits).buffer, raw_of(y));
    }
}

// The operations of a merge, written as hls4ml writes them.
struct Add {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return a + b; }
};
struct Subtract {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return a - b; }
};
struct Multiply {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return a * b; }
};
struct Average {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return (a + b) * ap_ufixed<1, 0>(0.5); }
};
struct Maximum {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return a > b ? T(a) : T(b); }
};
struct Minimum {
    template <class T, class A, class B> static T of(const A &a, const B &b) { return a < b ? T(a) : T(b); }
};

template <class Operation, class Target, class A, class B>
void merge(long number, uint64_t seed, long count, unsigned tie) {
    Results results(number);
    Random random{seed};
    for (long i = 0; i < count; ++i) {
        const uint64_t a = draw<A>(random, tie), b = draw<B>(random, tie);
        const Target y = Operation::template of<Target>(from_raw<A>(a), from_raw<B>(b));
        results.add((Text(results) << a << b).buffer, raw_of(y));
    }
}

const int TERMS = 6;

/// A sum of products in an accumulator: each product and each sum is cast to it.
template <class Accum, class Data, class Weight, class Bias>
void dot(long number, uint64_t seed, long count, unsigned tie) {
    Results results(number);
    Random random{seed};
    uint64_t weights[TERMS];
    for (uint64_t &w : weights) w = draw<Weight>(random, 0);
    const uint64_t bias = draw<Bias>(random, 0);
    for (long i = 0; i < count; ++i) {
        Text text(results);
        Accum sum = from_raw<Bias>(bias);
        for (const uint64_t w : weights) {
            const uint64_t x = draw<Data>(random, tie);
            const Accum product = from_raw<Data>(x) * from_raw<Weight>(w);
            sum += product;
            text << x;
        }
        results.add(text.buffer, raw_of(sum));
    }
}

/// The average of a pooling: a sum in an accumulator, divided by a C integer.
template <class Accum, class Data>
void pool(long number, uint64_t seed, long count, unsigned cells) {
    Results results(number);
    Random random{seed};
    for (long i = 0; i < count; ++i) {
        Text text(results);
        Accum sum = 0;
        for (unsigned c = 0; c < cells; ++c) {
            const uint64_t x = draw<Data>(random, 0);
            sum += from_raw<Data>(x);
            text << x;
        }
        sum /= cells;
        results.add(text.buffer, raw_of(sum));
    }
}
