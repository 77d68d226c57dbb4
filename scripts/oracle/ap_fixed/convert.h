// Converts values with the C++ ap_types headers and prints the codes, one case per line.
//
// make_vectors.py generates the calls, because the types are template arguments.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "ap_fixed.h"

/// The bit pattern of a fixed-point object as a signed number.
template <class T>
long long code(const T &x, int width, bool is_signed) {
    unsigned long long bits = 0;
    for (int i = 0; i < width; ++i) bits |= (unsigned long long)(bool)x[i] << i;
    if (is_signed && (bits >> (width - 1) & 1)) bits |= ~0ULL << width;
    return (long long)bits;
}

/// A fixed-point object with the given bit pattern.
template <class T>
T from_code(long long raw, int width) {
    T x = 0;
    for (int i = 0; i < width; ++i) x[i] = (bool)(raw >> i & 1);
    return x;
}

template <class Target, class Source>
void print_conversion(long long raw, int source_width, int width, bool is_signed) {
    const Source source = from_code<Source>(raw, source_width);
    const Target target = source;
    printf(" %lld", code(target, width, is_signed));
}

/// The chosen codes of the source type.
template <class Target, class Source>
void from_codes(const char *head, int source_width, int width, bool is_signed, std::initializer_list<long long> raws) {
    printf("fixed %s", head);
    for (long long raw : raws) printf(" %lld", raw);
    printf(" =");
    for (long long raw : raws) print_conversion<Target, Source>(raw, source_width, width, is_signed);
    printf("\n");
}

/// Every code of the source type, in ascending order.
template <class Target, class Source>
void from_all(const char *head, int source_width, int width, bool is_signed, long long first, long long last) {
    printf("all %s =", head);
    for (long long raw = first; raw <= last; ++raw)
        print_conversion<Target, Source>(raw, source_width, width, is_signed);
    printf("\n");
}

/// Doubles, given by their bits; printed without trailing zero digits.
template <class Target>
void from_doubles(const char *head, const char *printed, int width, bool is_signed,
                  std::initializer_list<uint64_t> doubles) {
    printf("double %s %s =", head, printed);
    for (uint64_t bits : doubles) {
        double x;
        memcpy(&x, &bits, sizeof x);
        const Target target = x;
        printf(" %lld", code(target, width, is_signed));
    }
    printf("\n");
}
